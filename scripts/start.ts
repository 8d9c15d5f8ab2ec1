/** `npm start`: a first backup on files that it makes, a team's folder and database by one policy file, a PostgreSQL server. */
await import('./first-backup.ts');
await import('./first-team.ts');
await import('./first-moment.ts');
