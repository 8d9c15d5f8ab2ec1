import { serveStoring } from './storing-worker.ts';

/** The entry file of the threads that store contents. */
serveStoring();
