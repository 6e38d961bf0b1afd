/** A replacement in a file of the sample service. */
export interface Change {
  readonly find: string;
  readonly put: string;
}

export interface Version {
  /** First line of the commit message. */
  readonly subject: string;
  /** By file. */
  readonly changes: Readonly<Record<string, readonly Change[]>>;
}

export type VersionName = 'draft' | 'first' | 'good' | 'bad' | 'unbuildable' | 'misdescribed';

const versionIs = (version: string): Readonly<Record<string, readonly Change[]>> => ({
  'slipway.yaml': [{ find: 'version: 1.0.0', put: `version: ${version}` }],
  'package.json': [{ find: '"version": "1.0.0"', put: `"version": "${version}"` }],
});

const offersInEuro: Change = {
  find: 'return { name, cents: PRICES.get(name) };',
  put: 'const cents = PRICES.get(name);\n  return { name, cents, euro: (cents / 100).toFixed(2) };',
};

/** The versions of the sample service, each as changes to the first. */
export const VERSIONS: Readonly<Record<VersionName, Version>> = {
  /** Goes no further than the first environment, and so leaves images that nobody needs later. */
  draft: { subject: 'Try out offers', changes: versionIs('0.9.0') },
  first: { subject: 'Make offers to visitors', changes: {} },
  good: {
    subject: 'Show prices in euro too',
    changes: { ...versionIs('2.0.0'), 'src/offers.js': [offersInEuro] },
  },
  /**
   * The kind of fault that only production shows: the discount is switched on there alone, and one good of five has
   * none, so every fifth answer is a 500. Unit tests and integration environments run without the switch.
   */
  bad: {
    subject: 'Take discounts off where they are switched on',
    changes: {
      ...versionIs('3.0.0'),
      'slipway.yaml': [
        { find: 'version: 1.0.0', put: 'version: 3.0.0' },
        { find: '  prod:\n    instances: 3', put: "  prod:\n    instances: 3\n    env: { DISCOUNTS: 'on' }" },
      ],
      'src/offers.js': [
        {
          find: 'return { name, cents: PRICES.get(name) };',
          put: [
            'const cents = PRICES.get(name);',
            "  const off = process.env.DISCOUNTS === 'on' ? DISCOUNTS.get(name).percent : 0;",
            '  return { name, cents: Math.round((cents * (100 - off)) / 100) };',
          ].join('\n'),
        },
        {
          find: 'export const names',
          put: [
            'const DISCOUNTS = new Map([',
            "  ['anchor', { percent: 10 }],",
            "  ['bell', { percent: 5 }],",
            "  ['compass', { percent: 20 }],",
            "  ['ensign', { percent: 5 }],",
            ']);',
            '',
            'export const names',
          ].join('\n'),
        },
      ],
    },
  },
  /** Its own unit tests fail, so the build does. */
  unbuildable: {
    subject: 'Give the bell away',
    changes: {
      ...versionIs('4.0.0'),
      'src/offers.js': [{ find: "['bell', 1850]", put: "['bell', 0]" }],
    },
  },
  /** Three errors in its manifest. */
  misdescribed: {
    subject: 'Describe the service anew',
    changes: {
      'package.json': [{ find: '"version": "1.0.0"', put: '"version": "5.0.0"' }],
      'slipway.yaml': [
        { find: 'version: 1.0.0', put: 'version: five' },
        { find: 'memory: 96MiB', put: 'memory: lots' },
        { find: 'weight: 10%', put: 'weight: 0%' },
      ],
    },
  },
};
