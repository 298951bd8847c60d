#!/bin/sh
# A server of the lab's NFS pair, as its hands: `up` and `down` for a boot and its end, `take` and `give` for the service.
# The order of each and its reasons are in docs/lab.md. Nothing here decides who serves: that is for whoever moves it.
set -eu
. /etc/seatrial-lab/pair

backing=/var/lib/seatrial-lab/tools.img
volume=/srv/volume
pipes=/run/rpc_pipefs

# The disk below DRBD: a plain one, unless the file of the fault names the kernel that runs; then every request waits for a while.
lay_disk() {
    losetup /dev/loop0 "$backing"
    sectors=$(blockdev --getsz /dev/loop0)
    table="0 $sectors linear /dev/loop0 0"
    if [ -e /etc/seatrial-lab/slow ] && read -r kernel delay </etc/seatrial-lab/slow && [ "$kernel" = "$(uname -r)" ]; then
        modprobe dm-delay
        table="0 $sectors delay /dev/loop0 0 $delay"
    fi
    dmsetup create backing --noudevsync --table "$table"
    dmsetup mknodes backing
}

fresh_device() {
    # Only the first boot: an empty disk on both sides, which they are told is the same one, so that nothing is copied.
    mkdir -p "${backing%/*}"
    truncate -s 96M "$backing"
    lay_disk
    drbdadm -- --force create-md tools >/dev/null
    drbdadm up tools
    [ "$first" = yes ] || return 0
    until [ "$(drbdadm cstate tools)" = Connected ]; do sleep 0.2; done
    drbdadm -- --clear-bitmap new-current-uuid tools/0
    # What the other side said of itself before may come in only now, and what is taken for behind is sent nothing: they are
    # made to compare again until it stays right.
    until sleep 1; [ "$(drbdadm dstate tools)" = UpToDate/UpToDate ]; do
        drbdadm disconnect tools
        drbdadm connect tools
        until [ "$(drbdadm cstate tools)" = Connected ]; do sleep 0.2; done
    done
    drbdadm primary tools
    mkfs.ext4 -q -E nodiscard -J size=4 /dev/drbd0
    mount /dev/drbd0 "$volume"
    mkdir -p "$volume/tools" "$volume/state"
    chmod 1777 "$volume/tools"
    umount "$volume"
    take
}

up() {
    modprobe -a loop dm-mod drbd nfsd
    mkdir -p "$volume" "$pipes"
    mountpoint -q /proc/fs/nfsd || mount -t nfsd nfsd /proc/fs/nfsd
    mountpoint -q "$pipes" || mount -t rpc_pipefs rpc_pipefs "$pipes"
    # Version 3 tells rpcbind where it is; version 4 would not need it.
    rpcbind -w
    rpc.statd
    if [ ! -e "$backing" ]; then
        fresh_device
    else
        lay_disk
        drbdadm up tools
    fi
}

take() {
    drbdadm primary tools
    mountpoint -q "$volume" || mount /dev/drbd0 "$volume"
    exportfs -ra
    # Who the clients are is kept on the volume, so that they may have their locks back from the other server.
    nfsdcld -p "$pipes" -s "$volume/state"
    rpc.mountd
    # The name of the server is part of what 4.1 takes for its identity, and both have to be the same one.
    unshare --uts sh -c 'hostname "$1" && exec rpc.nfsd --lease-time 10 --grace-time 10 8' sh "$scope"
    ip address replace "$service" dev nfs0
    arping -q -U -c 2 -I nfs0 "${service%/*}" || true
}

give() {
    rpc.nfsd 0
    ip address del "$service" dev nfs0 2>/dev/null || true
    exportfs -ua
    pkill -x rpc.mountd || true
    pkill -x nfsdcld || true
    ! mountpoint -q "$volume" || umount "$volume"
    drbdadm secondary tools
}

case $1 in
    up | take | give) "$1" ;;
    down)
        give
        drbdadm down tools
        dmsetup remove --noudevsync backing
        losetup -d /dev/loop0
        ;;
    *)
        echo "up, down, take or give?" >&2
        exit 2
        ;;
esac
