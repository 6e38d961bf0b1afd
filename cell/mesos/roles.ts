/** What the master knows of each role: who is in it, what it holds and what is reserved for it. */
import type { Framework } from './framework.ts';
import type { Master } from './master.ts';
import { type Amounts, add, NOTHING, reservedOf } from './resources.ts';

export interface RoleFigures {
  readonly name: string;
  readonly frameworks: readonly Framework[];
  readonly allocated: Amounts;
  readonly offered: Amounts;
  /** On all agents. */
  readonly reserved: Amounts;
}

/** Every role that a framework has or something is reserved for, by name. */
export function rolesOf(master: Master): RoleFigures[] {
  const { frameworks, agents, offers } = master;
  const reserved = new Map<string, Amounts>();
  for (const { link } of agents.values()) {
    for (const [role, amounts] of reservedOf(link.total)) {
      reserved.set(role, add(reserved.get(role) ?? NOTHING, amounts));
    }
  }
  const all = [...frameworks.values()];
  const names = [...new Set([...all.flatMap(({ roles }) => roles), ...reserved.keys()])].sort();
  return names.map((name) => {
    const members = all.filter(({ roles }) => roles.includes(name));
    return {
      name,
      frameworks: members,
      allocated: members.map((framework) => master.usedBy(framework, name)).reduce(add, NOTHING),
      offered: offers.on({ role: name }),
      reserved: reserved.get(name) ?? NOTHING,
    };
  });
}
