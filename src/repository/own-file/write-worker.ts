import { HoldfastError } from '../../errors/error.ts';
import { serveRequests } from '../../host/worker.ts';
import type { FileReply, FileRequest } from './protocol.ts';
import { writeOwnFile } from './write-file.ts';

/** The entry file of the threads that write own bytes to files. What is wrong with one is an answer; a defect ends the thread. */
serveRequests<FileRequest, FileReply>((request) => {
  if (request.kind === 'set-up') return undefined;
  try {
    return { kind: 'written', file: writeOwnFile(request) };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { kind: 'failed', code: error.code, message: error.message };
  }
});
