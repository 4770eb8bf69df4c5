"""The commented file that `modeltui config init` writes: every key with an example, none of them set."""

TEMPLATE = """\
# modeltui reads this file and never writes it. Every line is a comment: take the # away to set a value.

# server = "local"              # the server that is used unless --server names another
# default_model = "llama3.2"    # becomes the current model when none is chosen
# glyphs = "auto"               # auto, unicode or ascii
# theme = "textual-dark"        # a theme of the screens; ctrl+p lists them
# animations = false            # smooth scrolling, which costs bytes on the line

# [servers.gpubox]
# url = "http://gpubox:11434"
# token_env = "GPUBOX_TOKEN"    # sent as `Authorization: Bearer …`; the secret itself stays out of files
# token_command = ["pass", "show", "gpubox"]
# headers = { Host = "localhost:11434" }
# ca_file = "~/ca.pem"
# client_cert = "~/me.pem"
# local = false                 # whether it runs on this machine, where that cannot be seen
# ssh = "me@gpubox"             # how to look at its hardware; keys only, no question is answered
# num_parallel = 1              # what its environment says, where that cannot be seen
# kv_cache_type = "q8_0"
# flash_attention = true
# max_loaded = 3
# gpu_overhead = "0.5GB"

# [servers.gpubox.hardware]
# gpus = ["2x24GB"]             # where it cannot be looked at; or ["rtx 4090", "a card 24GB@936GB/s"], or []
# ram = "64GB"                  # sizes as they are sold
# ram_bandwidth = "51.2GB/s"
# cores = 16
# unified = false               # true where GPU and processor share the RAM

# [current]
# alias = "current"             # a name on the server that always points to the current model
# hook = ["systemctl", "--user", "reload", "chatbot"]
# auto_pull = false             # switching to a model that is not installed pulls it first

# [downloads]
# per_server = 1                # pulls at once on one server, 1 to 4
# detached = true               # pulls go on in a program of their own when this one ends
# retries = 10                  # tries without a new byte before waiting five minutes between tries
# stall_s = 90                  # seconds without a byte before the pull is started again; 0 never

# [registry]
# lookup = true                 # ask the registry for a model's exact size before a pull

# [recommend]
# task = "general"              # general, coding, reasoning, analysis, vision, embedding or creative
# priority = "balanced"         # what counts most: speed, balanced or quality
# context = "16k"               # tokens that a recommended model must take
# min_tokens_per_s = 5          # what is slower is not recommended; 0 for no limit

# [updates]
# auto = "off"                  # what `modeltui upgrade --auto`, run by a timer, does: off, check or pull
# window = "02:00-05:00"        # when it does that, in local time

# [poll]
# models_s = 5                  # how often the visible list is asked for
# running_s = 2                 # the same on the screen Running
# health_s = 30                 # how often a server is asked whether it still answers

# [keys]
# switch = "S"                  # any key binding, by its name in the help (?)

# [tui.columns]
# models = ["name", "size", "state", "context"]

# [registries."registry.lan:5000"]
# insecure = true               # plain http to this registry
# base_url = "http://127.0.0.1:5000"
"""
