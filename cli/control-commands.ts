import type { Command } from 'commander';
import { CONTROL_VERBS, type ControlVerb } from '../domain/controls.ts';
import { controlAnswerSchema } from '../domain/schemas/controls.ts';
import type { ActInContext } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import type { Language } from './messages.ts';

interface Say {
  taken(verb: ControlVerb, release: string): string;
  missing(people: number): string;
}

const SAY: Readonly<Record<Language, Say>> = {
  en: {
    taken: (verb, release) => `${release}: ${verb} is taken`,
    missing: (people) => (people === 1 ? 'one more person must say so' : `${people} more people must say so`),
  },
  zh: {
    taken: (verb, release) => `${release}：已接受 ${verb}`,
    missing: (people) => `还需 ${people} 人同样表示`,
  },
};

const DESCRIPTIONS: Readonly<Record<ControlVerb, string>> = {
  pause: 'begin no further effect of a release until it is resumed',
  resume: 'let a paused release go on',
  'skip-hold': 'end the hold, or the bake, that is under way',
  'skip-analysis': 'end the analysis under way without a verdict; needs two people other than the requester',
  'retry-step': 'try a step again that failed and waits for that',
  'promote-fully': 'skip the holds, analyses and approvals that are left in this environment',
};

/** `slipway pause|resume|skip-hold|skip-analysis|retry-step|promote-fully`: words to a release that runs. */
export function addControlCommands(program: Command, act: ActInContext): void {
  for (const [name, command] of Object.entries(CONTROL_VERBS)) {
    const verb = name as ControlVerb;
    const declared = program
      .command(command === 'retryStep' ? `${verb} <release> <step>` : `${verb} <release>`)
      .description(DESCRIPTIONS[verb])
      .requiredOption('--reason <reason>', 'why; it is recorded')
      .option('--plan-digest <digest>', 'refuse it when this is not the plan by now');
    if (command.startsWith('skip')) declared.option('--step <step>', 'refuse it when this step is not under way');
    declared.action(
      act(async (context, text: string, ...rest: unknown[]) => {
        const name = context.releaseName(text);
        const [step] = command === 'retryStep' ? rest.map(String) : [];
        const options = declared.opts<{ reason: string; planDigest?: string; step?: string }>();
        const means = step ?? options.step;
        const body = {
          reason: options.reason,
          ...(means === undefined ? {} : { step: means }),
          ...(options.planDigest === undefined ? {} : { planDigest: options.planDigest }),
        };
        const taken = await context.command(name, verb, body, controlAnswerSchema);
        const say = SAY[context.language];
        context.print('', { v: 1, ...taken });
        context.tell(say.taken(verb, name));
        if (taken.missing > 0) context.tell(say.missing(taken.missing));
        return ExitCode.Ok;
      }),
    );
  }
}
