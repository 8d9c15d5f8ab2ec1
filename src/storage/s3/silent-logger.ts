/** What the SDK would say beside its errors: that requests wait for a connection, or that it had a choice. */
export const silentLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
