/**
 * What the server runs for each file of the log that it wants, by names alone: nothing secret is in a setting that any
 * role can read. The parent puts files into `ready`, by a rename; where none is there, `wanted` names it. It ends with
 * 1 where the parent has proven that nobody holds the file, and with 200 for anything else, which stops the server: an
 * exit code up to 125 would mean the end of the log.
 */
export const fetchScript = `#!/bin/sh
# fetch SPOOL ALIVE NAME PATH
spool=$1 alive=$2 name=$3 path=$4
take() {
  rm -f "$spool/wanted/$name"
  mv "$spool/ready/$name" "$path" && exit 0
  exit 200
}
[ -f "$spool/ready/$name" ] && take
: > "$spool/wanted/$name" || exit 200
while :; do
  [ -f "$spool/ready/$name" ] && take
  if [ -f "$spool/absent/$name" ]; then
    rm -f "$spool/wanted/$name"
    rm "$spool/absent/$name" && exit 1
    exit 200
  fi
  [ -e "$alive" ] || exit 200
  [ -e "$spool/failed" ] && exit 200
  sleep 0.01 2>/dev/null || sleep 1
done
`;
