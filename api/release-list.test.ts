import { describe, expect, it } from '@jest/globals';
import { releaseFilterSchema } from '../domain/schemas/api.ts';
import { releaseListQuery } from './release-list.ts';

const query = (filter: object) => releaseListQuery(releaseFilterSchema.parse(filter));

describe('the list filter', () => {
  it('asks for releases and rollbacks, and for what the filter names', () => {
    expect(query({})).toBe("WorkflowType IN ('release', 'rollback')");
    expect(query({ service: 'sample', outcome: 'rolled-back', stage: 'hold-prod' })).toBe(
      "WorkflowType IN ('release', 'rollback') AND SlipwayService = 'sample' AND SlipwayStage = 'hold-prod' AND SlipwayOutcome = 'rolled-back'",
    );
    expect(query({ outcome: 'running' })).toContain("ExecutionStatus = 'Running'");
  });

  it.each([{ service: "x' OR ''='" }, { stage: "a' OR 1=1" }, { outcome: "released'" }, { limit: 1000 }])(
    'refuses %j',
    (filter) => {
      expect(releaseFilterSchema.safeParse(filter).success).toBe(false);
    },
  );
});
