/**
 * Node's own HTTP. Not by an import: that reads each export once, and one of them loads a second client (undici), which
 * takes 35 ms and 11 MiB.
 */
export const http = process.getBuiltinModule('node:http');
export const https = process.getBuiltinModule('node:https');
