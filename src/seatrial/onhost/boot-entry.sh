# The tail of grubenv.sh that is run by itself: once ENTRY, or default ENTRY. It answers in one line.
# Exit: 0 done and read back; 3 refused, nothing was changed; 4 tried, and the block does not say so.
case ${1:-} in
    once | default) ;;
    *) echo "refused: once or default is wanted" && exit 3 ;;
esac
case ${2:-} in
    '' | *[!A-Za-z0-9._~+,\':@/=\>\(\)\ -]*) echo "refused: not a menu entry" && exit 3 ;;
esac
if ! env_read; then
    echo "refused: $grubenv is no environment block"
    exit 3
fi
if [ "$1" = once ]; then
    if [ -n "$env_next" ] && [ "$env_next" != "$2" ]; then
        echo "refused: the next boot is taken already: $env_next"
        exit 3
    fi
    env_once "$2"
else
    env_default "$2"
fi || {
    echo "failed: the environment block does not say $1 $2"
    exit 4
}
echo "done: $1 $2"
exit 0
