"""The tables, as a list of migrations: the database's user_version says how many of them it has had.

All times are UTC milliseconds, all sizes bytes, unknown is NULL.
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE servers (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,           -- the connectable URL
        name TEXT NOT NULL                  -- a label that may change
    );
    CREATE TABLE transfers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: the number that people type
        server_id INTEGER NOT NULL REFERENCES servers(id),
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        position INTEGER NOT NULL,
        wanted TEXT NOT NULL,
        wishes INTEGER NOT NULL DEFAULT 0,  -- counts them: the same one may be said again
        state TEXT NOT NULL,
        cause TEXT,
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        total INTEGER,
        total_exact INTEGER NOT NULL DEFAULT 0,
        done_high INTEGER NOT NULL DEFAULT 0,
        seen INTEGER NOT NULL DEFAULT 0,
        speed REAL,
        grown_at INTEGER,                   -- when the last byte came, while a stream is open
        retry_at INTEGER,
        digest_failures INTEGER NOT NULL DEFAULT 0,
        damages INTEGER NOT NULL DEFAULT 0,
        announced_digest TEXT,
        created INTEGER NOT NULL,
        started INTEGER,
        ended INTEGER,
        at INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX one_transfer_a_model ON transfers(server_id, name_key)
        WHERE state NOT IN ('installed', 'failed', 'cancelled');
    CREATE TABLE transfer_layers (
        transfer_id INTEGER NOT NULL REFERENCES transfers(id) ON DELETE CASCADE,
        digest TEXT NOT NULL,
        total INTEGER NOT NULL,
        completed INTEGER NOT NULL,
        PRIMARY KEY (transfer_id, digest)
    ) WITHOUT ROWID;
    CREATE TABLE transfer_attempts (
        id INTEGER PRIMARY KEY,
        transfer_id INTEGER NOT NULL REFERENCES transfers(id) ON DELETE CASCADE,
        at INTEGER NOT NULL,
        cause TEXT,
        detail TEXT NOT NULL,
        done INTEGER NOT NULL
    );
    CREATE TABLE current (
        server_id INTEGER PRIMARY KEY REFERENCES servers(id),
        name TEXT NOT NULL,
        digest TEXT,
        since INTEGER NOT NULL,
        previous TEXT
    );
    CREATE TABLE aliases (
        server_id INTEGER NOT NULL REFERENCES servers(id),
        name_key TEXT NOT NULL,
        target TEXT NOT NULL,
        digest TEXT NOT NULL,               -- what we wrote: another digest was written by someone else
        at INTEGER NOT NULL,
        PRIMARY KEY (server_id, name_key)
    ) WITHOUT ROWID;
    CREATE TABLE activity (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        user TEXT NOT NULL,
        origin TEXT NOT NULL,
        server_id INTEGER REFERENCES servers(id),
        action TEXT NOT NULL,
        object TEXT NOT NULL,
        result TEXT NOT NULL,
        error TEXT
    );
    CREATE TABLE details (
        digest TEXT PRIMARY KEY,            -- of the manifest: an updated model is looked at anew
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE damaged (
        server_id INTEGER NOT NULL REFERENCES servers(id),
        digest TEXT NOT NULL,
        words TEXT NOT NULL,
        layers INTEGER NOT NULL,            -- whether a layer is missing, which opening it does not show
        at INTEGER NOT NULL,
        PRIMARY KEY (server_id, digest)
    ) WITHOUT ROWID;
    CREATE TABLE loads (
        server_id INTEGER NOT NULL REFERENCES servers(id),
        digest TEXT NOT NULL,
        at INTEGER NOT NULL,
        load_ms INTEGER NOT NULL,
        size INTEGER,
        vram INTEGER,
        context INTEGER,
        PRIMARY KEY (server_id, digest)
    ) WITHOUT ROWID;
    CREATE TABLE last_list (
        server_id INTEGER PRIMARY KEY REFERENCES servers(id),
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    );
    """,
    """
    ALTER TABLE transfers ADD COLUMN present INTEGER;     -- bytes that were there before its first byte came
    ALTER TABLE transfers ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;      -- bytes that its streams brought
    ALTER TABLE transfers ADD COLUMN active_ms INTEGER NOT NULL DEFAULT 0;  -- how long its streams were open
    ALTER TABLE transfers ADD COLUMN ends_at INTEGER;     -- when its last byte is expected
    ALTER TABLE transfers ADD COLUMN finishing INTEGER NOT NULL DEFAULT 0;  -- only small layers are missing
    ALTER TABLE transfers ADD COLUMN pulled_as TEXT;      -- the other name under which it is tried
    ALTER TABLE transfers ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;     -- though the disk seems too small
    ALTER TABLE transfers ADD COLUMN obeyed INTEGER NOT NULL DEFAULT 0;     -- so many of its wishes
    UPDATE transfers SET obeyed = wishes;
    CREATE TABLE transfer_blobs (           -- what its registry announced
        transfer_id INTEGER NOT NULL REFERENCES transfers(id) ON DELETE CASCADE,
        digest TEXT NOT NULL,
        PRIMARY KEY (transfer_id, digest)
    ) WITHOUT ROWID;
    CREATE TABLE ends (                     -- how transfers ended, kept when the queue forgets them
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows: who watches asks for what is newer
        transfer_id INTEGER NOT NULL,
        at INTEGER NOT NULL,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        words TEXT NOT NULL,
        told INTEGER NOT NULL DEFAULT 0     -- whether a person was told
    );
    CREATE TABLE arrivals (                 -- every installed pull, kept when the queue forgets it
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        server_id INTEGER NOT NULL REFERENCES servers(id),
        name TEXT NOT NULL,
        digest TEXT,
        size INTEGER,
        moved INTEGER NOT NULL,
        active_ms INTEGER NOT NULL
    );
    CREATE TABLE updates (                  -- what the registry said last about an installed model
        server_id INTEGER NOT NULL REFERENCES servers(id),
        name_key TEXT NOT NULL,
        digest TEXT NOT NULL,               -- of the installed manifest that was judged
        verdict TEXT NOT NULL,
        newer TEXT,                         -- digest of the newer manifest
        size INTEGER,                       -- bytes of the newer one
        pushed INTEGER,
        published INTEGER NOT NULL,         -- whether the registry once had the installed one
        at INTEGER NOT NULL,
        PRIMARY KEY (server_id, name_key)
    ) WITHOUT ROWID;
    CREATE TABLE findings (                 -- what a scan found in a model, by its manifest
        server_id INTEGER NOT NULL REFERENCES servers(id),
        digest TEXT NOT NULL,
        kind TEXT NOT NULL,
        words TEXT NOT NULL,
        serious INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (server_id, digest, kind, words)
    ) WITHOUT ROWID;
    CREATE TABLE origins (                  -- who made what was scanned last under a name, and its licence
        server_id INTEGER NOT NULL REFERENCES servers(id),
        name_key TEXT NOT NULL,
        digest TEXT NOT NULL,
        publisher TEXT,
        licence TEXT,                       -- its first line
        licence_digest TEXT,                -- of its whole text
        at INTEGER NOT NULL,
        PRIMARY KEY (server_id, name_key)
    ) WITHOUT ROWID;
    CREATE TABLE quarantine (               -- held back from load and switch until released by name
        server_id INTEGER NOT NULL REFERENCES servers(id),
        digest TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL,
        released INTEGER,
        PRIMARY KEY (server_id, digest)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE servers ADD COLUMN per_server INTEGER;    -- so many pulls at once; NULL: as configured
    """,
    """
    CREATE TABLE measurements (             -- what a model was seen to reach there, row by row
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        server_id INTEGER NOT NULL REFERENCES servers(id),
        digest TEXT NOT NULL,               -- of the manifest: an updated model is measured anew
        name TEXT NOT NULL,
        context INTEGER,
        tokens REAL,                        -- a second
        prompt REAL,                        -- tokens a second
        load_ms INTEGER,
        vram_share REAL,                    -- 0 to 1, by the server's account
        version TEXT                        -- of the server
    );
    CREATE INDEX measurements_of ON measurements(server_id, digest, at);
    CREATE TABLE shapes (                   -- what /api/show says of a model's architecture
        digest TEXT PRIMARY KEY,            -- of the manifest
        json TEXT NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
)
