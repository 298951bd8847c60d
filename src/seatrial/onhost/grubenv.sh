#!/bin/sh
# Seatrial's hand on GRUB's environment block, sourced by nothing: it is put in front of the scripts that need it.
#
# grub-editenv writes the block by truncating the file first: killed in between, it leaves an empty block, and GRUB
# then boots the first entry of its menu, which is the newest kernel. So a copy is edited, and the copy's 1024 bytes
# are written over the old ones in place, in one write: no truncation, no new block on disk (GRUB does not replay a
# journal), no room needed. Needs grub-editenv and dd.
set -u

# Tests give a directory that stands for the machine, and programs in front of PATH that stand for its programs. With
# one and not the other, or in a test that forgot, nothing is done: that machine's own boot must never be touched.
root=${SEATRIAL_ROOT:-}
if [ -n "$root" ]; then
    case $PATH in
        "$root"/*) ;;
        *)
            echo "seatrial: SEATRIAL_ROOT without its own programs first on PATH" >&2
            exit 3
            ;;
    esac
elif [ -n "${SEATRIAL_TEST:-}" ]; then
    echo "seatrial: in a test, and SEATRIAL_ROOT is not set" >&2
    exit 3
else
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
fi
LC_ALL=C
export PATH LC_ALL
umask 022

grubenv=$root/boot/grub/grubenv
run=$root/run/seatrial

# What the block says, read without starting a program. The entries that Seatrial writes have no backslash, which is
# the only thing that GRUB escapes. Status 1: there is no block, or what is there is none.
env_read() {
    env_saved='' env_next='' env_prev='' env_valid=no
    [ -r "$grubenv" ] || return 1
    while IFS= read -r env_line; do
        case $env_line in
            '# GRUB Environment Block') env_valid=yes ;;
            saved_entry=*) env_saved=${env_line#saved_entry=} ;;
            next_entry=*) env_next=${env_line#next_entry=} ;;
            prev_saved_entry=*) env_prev=${env_line#prev_saved_entry=} ;;
        esac
    done 2>/dev/null <"$grubenv"
    [ "$env_valid" = yes ]
}

# env_is ENTRY: it is the default, and nothing comes before it.
env_is() { env_read && [ "$env_saved" = "$1" ] && [ -z "$env_next$env_prev" ]; }

# env_put COPY: the copy over the block, in place.
env_put() {
    [ "$(wc -c <"$1" 2>/dev/null)" -eq 1024 ] 2>/dev/null || return 1
    dd if="$1" of="$grubenv" bs=1024 count=1 conv=notrunc,fsync 2>/dev/null
}

# env_copy COPY: the block as it is; a fresh one when what is there cannot be read by GRUB either.
env_copy() {
    mkdir -p "$run" && rm -f "$1" || return 1
    dd if="$grubenv" of="$1" bs=1024 count=1 2>/dev/null && grub-editenv "$1" list >/dev/null 2>&1 && return 0
    rm -f "$1"
    grub-editenv "$1" create 2>/dev/null
}

# env_default ENTRY: makes it the default and takes away what would come before it; status 0 when read back so.
env_default() {
    env_edit=$run/grubenv.$$
    env_copy "$env_edit" &&
        grub-editenv "$env_edit" set "saved_entry=$1" 2>/dev/null &&
        grub-editenv "$env_edit" unset next_entry prev_saved_entry 2>/dev/null &&
        env_put "$env_edit"
    rm -f "$env_edit"
    env_is "$1"
}

# env_once ENTRY: the next boot, and only that, takes the entry; '' takes such a wish away.
env_once() {
    env_edit=$run/grubenv.$$
    if env_copy "$env_edit"; then
        if [ -n "$1" ]; then
            grub-editenv "$env_edit" set "next_entry=$1" 2>/dev/null && env_put "$env_edit"
        else
            grub-editenv "$env_edit" unset next_entry 2>/dev/null && env_put "$env_edit"
        fi
    fi
    rm -f "$env_edit"
    env_read && [ "$env_next" = "$1" ]
}
