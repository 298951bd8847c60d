# What a drift audit wants to know of a host, in one run that only reads. Run as: sh -s <this and what follows it.
# A section begins with '@begin NAME' and ends with '@end NAME'; every line of what a host said has a '|' in front, so
# that nothing on a host can forge a section. Its last line is the status. '@done' at the end: nothing was cut off.
# With the words `brief SECONDS` only what a snapshot keeps is asked for, and files of /etc that changed since that time.
# No private key, no environment and no command line leaves the host, only the paths and addresses in them.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

brief=${1:-} since=${2:-}
_snapshot=" identity uptime cmdline mountinfo sysctl-now modules-now routes links qdiscs schedulers nft-now exports-now packages
 changed named configured files errors-now firmware "

section() {
    name=$1
    shift
    if [ "$brief" = brief ]; then
        case $_snapshot in *" $name "*) ;; *) return 0 ;; esac
    fi
    echo "@begin $name"
    { "$@" 2>/dev/null; printf '\n@%s\n' "$?"; } | head -c 400000 | sed 's/^/|/'
    echo "@end $name"
}

has() { command -v "$1" >/dev/null 2>&1; }

# The lines of files that say something, each file under its own name: 'F PATH', then 'L TEXT'.
texts() {
    for path; do
        [ -f "$path" ] || continue
        echo "F $path"
        sed -n 's/^[[:space:]]*//; /^[#;]/d; /./s/^/L /p' "$path"
    done
}
