/**
 * What the first process of a sandbox does before anything else: two pieces of POSIX shell. The first waits until the
 * user namespace has its users: a program only has rights there that starts after that.
 */
export const waitingScript = `
read -r pid rest </proc/self/stat
echo "$pid"
read -r go || exit 1
exec sh -c "$@"
`;

/**
 * Arguments: the folder, then `+` and a path that is visible, or `=` where it comes with another, `@` and another name of
 * the one before, `-` and a hidden path. Descriptors of what must stay reachable are opened before it is covered, and
 * mounted from there without looking the path up again (-c). What is visible is entered or opened first, and mounted only
 * where that is what has its path: whoever owns a parent may have put a link there since it was looked up, to what is
 * hidden under its own name. It comes with all that is mounted in it, since the kernel shows nothing that a mount of others
 * covers. What is hidden is covered after that. It ends with a process that reaps whatever is left to it
 * (an ignored SIGCHLD) and lives until its standard input ends.
 */
export const prologue = `
set -eu
umask 022
lack() { echo "$1" >&2; exit 1; }
for tool in mount ip cat mkdir chmod ln readlink; do command -v "$tool" >/dev/null || lack "$tool is missing"; done
exec 3<"$1"; shift
exec 4</dev/null 5</dev/zero 6</dev/full 7</dev/random 8</dev/urandom
while read -r _ at _; do
  at=$(printf '%b' "$at")
  mount -o remount,bind,ro "$at" 2>/dev/null || [ ! -e "$at" ] || mount -t tmpfs -o ro tmpfs "$at" 2>/dev/null || lack "$at can’t be made read-only"
done </proc/self/mounts
hide() {
  if [ -d "$1" ]; then mount -t tmpfs -o "mode=$2,size=25%" tmpfs "$1" || lack "$1 can’t be hidden"
  elif [ -e "$1" ]; then mount -c --bind /proc/self/fd/4 "$1" || [ ! -e "$1" ] || lack "$1 can’t be hidden"
  fi
}
show() {
  [ -e "$1" ] || return 0
  if [ -d "$1" ]; then
    mkdir -p "$2"
    (cd -P "$1" && [ "$(pwd -P)" = "$2" ] && mount -c --rbind . "$2") || lack "$2 can’t be shown, or is a link by now"
  else
    mkdir -p "\${2%/*}"; [ -e "$2" ] || : >"$2"
    (exec 9<"$1" && [ "$(readlink /proc/self/fd/9)" = "$2" ] && mount -c --rbind /proc/self/fd/9 "$2") || lack "$2 can’t be shown, or is a link by now"
  fi
  while read -r _ under _; do
    under=$(printf '%b' "$under")
    case $under/ in "$2"/*) mount -o remount,bind,ro,nosuid,nodev "$under" 2>/dev/null || [ ! -e "$under" ] || lack "$under can’t be made read-only";; esac
  done </proc/self/mounts
}
empty() {
  [ -d "$1" ] || return 0
  exec 9<"$1"
  hide "$1" "$2"
  in=$(cd -P "$1" && pwd)
  shift 2
  for at; do
    case $at in "+$in/"*) rest=\${at#"+$in/"}; show "/proc/self/fd/9/$rest" "$in/$rest";; esac
  done
  exec 9<&-
}
empty /run 755 "$@"
[ /var/run -ef /run ] || empty /var/run 755 "$@"
empty /tmp 1777 "$@"
empty /var/tmp 1777 "$@"
empty /dev 755 "$@"
for at; do
  case $at in
    [+=]*) real=\${at#?};;
    @*) at=\${at#@}; [ -e "$at" ] || { mkdir -p "\${at%/*}" && ln -s "$real" "$at"; } || lack "$at can’t be shown";;
    -*) hide "\${at#-}" 755;;
  esac
done
n=4
for name in null zero full random urandom; do
  : >"/dev/$name"
  mount -c --bind "/proc/self/fd/$n" "/dev/$name"
  n=$((n + 1))
done
ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr
mkdir -p /dev/shm
chmod 1777 /dev/shm
mkdir -p /run/holdfast
mount -c --bind /proc/self/fd/3 /run/holdfast || lack 'the folder can’t be mounted'
mount -o remount,bind,rw /run/holdfast || lack 'the folder can’t be made writable'
mount -t proc proc /proc || lack 'no /proc of its own can be mounted (in a container: allow it to, or run this outside)'
for at in /proc/sys /proc/sysrq-trigger; do
  [ ! -e "$at" ] || { mount --bind "$at" "$at" && mount -o remount,bind,ro "$at"; } || lack "$at can’t be made read-only"
done
ip link set lo up || lack 'no loopback can be had'
echo ready
trap '' CHLD
exec cat >/dev/null 3<&- 4<&- 5<&- 6<&- 7<&- 8<&-
`;

/**
 * Outside, before a command enters. Arguments: input, output and error files, control group or '', the largest file in
 * blocks of 512 bytes, then the command.
 */
export const entryScript = `
true <"$1" >"$2" 2>"$3" || exit 127
exec <"$1" >"$2" 2>"$3"
ulimit -c 0
ulimit -f "$5" || exit 127
[ -z "$4" ] || echo 0 >"$4/cgroup.procs" || exit 127
shift 5
exec "$@"
`;

/**
 * Inside: the command by its own words, in its folder. Its variables come under names that mean nothing to the programs
 * on the way, which are not inside yet: a PATH or LD_PRELOAD that a command asked for is not for them.
 */
export const commandScript = `
cd "$HOLDFAST_DIR" || exit 127
unset OLDPWD
hf_n=0
while eval "hf_given=\\\${HOLDFAST_GIVEN_$hf_n-}"; [ -n "$hf_given" ]; do
  unset "HOLDFAST_GIVEN_$hf_n"
  export "$hf_given"
  hf_n=$((hf_n + 1))
done
unset hf_n hf_given
exec "$@"
`;

/** What `commandScript` takes them from. */
export function givenOf(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).map(([name, value], n) => [`HOLDFAST_GIVEN_${n}`, `${name}=${value}`]));
}
