import { describe, expect, it } from '@jest/globals';
import { FaultBoard, type FaultTargets } from './board.ts';

/** A cell of two agents in which what is said fails, the first time. */
function cellWith(...failures: string[]) {
  const done: string[] = [];
  const carryOut = async (what: string): Promise<void> => {
    const index = failures.indexOf(what);
    if (index >= 0) {
      failures.splice(index, 1);
      throw new Error(`${what} failed`);
    }
    done.push(what);
  };
  const mesos: FaultTargets = {
    agents: ['a', 'b'],
    setAgent: (name, fault) => carryOut(`${name} ${fault ?? 'well'}`),
    offersChanged: () => done.push('offers'),
    setMaster: (state) => carryOut(`master ${state}`),
  };
  const board = new FaultBoard();
  board.attachMesos(mesos);
  board.attachMarathon((state) => carryOut(`marathon ${state}`));
  return { board, done };
}

describe('a board on which a change fails half way', () => {
  const wanted = { agents: { a: 'lost', b: 'partitioned' }, marathon: 'away', offersWithheld: true } as const;

  it('tells what stands, and does the rest when it is asked again', async () => {
    const { board, done } = cellWith('b partitioned');
    await expect(board.set(wanted)).rejects.toThrow('b partitioned failed');
    expect(board.view.faults).toMatchObject({ agents: { a: 'lost' }, marathon: 'leads', offersWithheld: true });
    expect(board.view.faults.agents).toEqual({ a: 'lost' });
    expect((await board.set(wanted)).faults).toMatchObject(wanted);
    expect(done).toEqual(['offers', 'a lost', 'offers', 'b partitioned', 'marathon away']);
  });

  it('keeps for faulty what could not be mended', async () => {
    const { board, done } = cellWith('a well', 'master leads');
    await board.set({ ...wanted, master: 'away' });
    await expect(board.set({})).rejects.toThrow('master leads failed');
    expect(board.view.faults).toMatchObject({ ...wanted, master: 'away', offersWithheld: false });
    await expect(board.set({})).rejects.toThrow('a well failed');
    expect(board.view.faults).toMatchObject({ agents: wanted.agents, master: 'leads', marathon: 'away' });
    expect((await board.set({})).faults).toMatchObject({ agents: {}, master: 'leads', marathon: 'leads' });
    expect(done.slice(-3)).toEqual(['a well', 'b well', 'marathon leads']);
  });
});
