export type CompressionMode = 'auto' | 'off' | 'fastest' | 'better' | 'max';
