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
 * Arguments: the folder, then the hidden paths. Descriptors of what must stay reachable are opened before it is
 * covered, and mounted from there without looking the path up again (-c). It ends with a process that reaps whatever is
 * left to it (an ignored SIGCHLD) and lives until its standard input ends.
 */
export const prologue = `
set -eu
lack() { echo "$1" >&2; exit 1; }
for tool in mount ip cat mkdir ln; do command -v "$tool" >/dev/null || lack "$tool is missing"; done
exec 3<"$1"; shift
exec 4</dev/null 5</dev/zero 6</dev/full 7</dev/random 8</dev/urandom
while read -r _ at _; do
  at=$(printf '%b' "$at")
  mount -o remount,bind,ro "$at" 2>/dev/null || [ ! -e "$at" ] || mount -t tmpfs -o ro tmpfs "$at" 2>/dev/null || lack "$at can’t be made read-only"
done </proc/self/mounts
hide() {
  if [ -d "$1" ]; then mount -t tmpfs -o "mode=$2,size=25%" tmpfs "$1" || lack "$1 can’t be hidden"
  elif [ -e "$1" ]; then mount -c --bind /proc/self/fd/4 "$1" || lack "$1 can’t be hidden"
  fi
}
hide /run 755
[ /var/run -ef /run ] || hide /var/run 755
hide /tmp 1777
hide /var/tmp 1777
for at; do hide "$at" 755; done
hide /dev 755
n=4
for name in null zero full random urandom; do
  : >"/dev/$name"
  mount -c --bind "/proc/self/fd/$n" "/dev/$name"
  n=$((n + 1))
done
ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr
mkdir -m 1777 /dev/shm
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
