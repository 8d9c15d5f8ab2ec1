import { serveReading } from './reading-worker.ts';

/** The entry file of the threads that read blobs. */
serveReading();
