/** A sandbox lets no file grow beyond what its disk has room for, so that a full disk may be told as a file that is too large. */
const lacksRoom = /No space left|Disk quota exceeded|File too large/;

/**
 * What a server says when this host lacks something, and the copy is not to blame: a library, a collation, memory, disk,
 * a right. Whatever else it says of a copy accuses the copy.
 */
const lacks: readonly RegExp[] = [
  /\$libdir|could not load library|could not access file "[^"]*\.so/,
  /locale|collation|encoding conversion/i,
  lacksRoom,
  /out of (?:shared )?memory|could not (?:create|map|resize|allocate)[^;]* (?:shared memory|semaphore)/,
  /Cannot allocate memory|could not fork|too many (?:clients|open files)|Permission denied|Operation not permitted/,
  // As where the log makes a tablespace: it would be at production's place, which a sandbox can't write.
  /Read-only file system/,
  /could not bind|could not create lock file|unrecognized configuration parameter|invalid value for parameter/,
  /database files are incompatible with server|has group or world access|wrong ownership|cannot be run as root/,
];

/** Whether only room on a disk lacks. */
export function speaksOfRoom(said: string): boolean {
  return lacksRoom.test(said);
}

export function speaksOfSurroundings(said: string): boolean {
  return lacks.some((pattern) => pattern.test(said));
}

/** Classes of SQLSTATE that say nothing of the data: resources, an operator, the connection, a limit, a role. */
const classes: readonly string[] = ['08', '53', '54', '57', '28', '0A'];
/** A question that can't be understood, and a lock that can't be had. */
const sayNothing: readonly string[] = ['42601', '55P03'];

export function accusesCopy(sqlState: string, message: string): boolean {
  return !classes.includes(sqlState.slice(0, 2)) && !sayNothing.includes(sqlState) && !speaksOfSurroundings(message);
}
