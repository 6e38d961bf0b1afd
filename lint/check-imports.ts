/** `node lint/check-imports.ts`: prints every import that the rules forbid; exit code 1 when there is one. */
import { dirname } from 'node:path';
import { findImportViolations } from './imports.ts';

const violations = await findImportViolations(dirname(import.meta.dirname));
for (const { rule, comment, path } of violations) console.error(`${rule}: ${path.join(' -> ')}\n  ${comment}`);
process.stdout.write(`imports: ${violations.length} ${violations.length === 1 ? 'violation' : 'violations'}\n`);
process.exitCode = violations.length === 0 ? 0 : 1;
