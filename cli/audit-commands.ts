import type { Command } from 'commander';
import { auditReportSchema } from '../domain/schemas/api.ts';
import type { ActInContext } from './context.ts';
import { ExitCode } from './exit-codes.ts';

/** `slipway audit verify`: whether anything in the audit was changed, taken out or put in after it was written. */
export function addAuditCommands(program: Command, act: ActInContext): void {
  program
    .command('audit')
    .description('the record of who did what')
    .command('verify')
    .description('walk the whole audit and name the first row that does not hold')
    .action(
      act(async (context) => {
        const report = await context.api.call('/v1/audit', auditReportSchema);
        const { rows, hash, broken } = report;
        const { say } = context;
        const said = broken === undefined ? say.auditHolds(rows, hash) : say.auditBroken(broken.number, broken.reason);
        context.print(said, { v: 1, audit: report });
        return broken === undefined ? ExitCode.Ok : ExitCode.AuditBroken;
      }),
    );
}
