/** `npm start`: a first backup on files that it makes, then a team's folder and database by one policy file. */
await import('./first-backup.ts');
await import('./first-team.ts');
