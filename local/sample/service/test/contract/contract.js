/** What every version of the service promises, asked of the deployed one by its DNS name. */
import { Resolver } from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';

const target = new URL(process.env.SLIPWAY_TARGET);
const resolver = new Resolver();
resolver.setServers([process.env.SLIPWAY_DNS]);
const [address] = await resolver.resolve4(target.hostname);

function ask(path) {
  return new Promise((resolve, reject) => {
    const options = { host: address, port: target.port, path, headers: { host: target.host }, timeout: 5000 };
    get(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, body: text }));
    })
      .on('timeout', function () {
        this.destroy(new Error('no answer in 5 s'));
      })
      .on('error', reject);
  });
}

async function expectOffer() {
  const { status, body } = await ask('/');
  if (status !== 200) throw new Error(`status ${status}: ${body}`);
  const { offer } = JSON.parse(body);
  if (!(offer.cents > 0)) throw new Error(`no price in ${body}`);
}

const cases = {
  'the name resolves to the balancer': async () => {
    if (!address) throw new Error(`${target.hostname} has no address`);
  },
  'it is healthy': async () => {
    const { status } = await ask('/healthz');
    if (status !== 200) throw new Error(`status ${status}`);
  },
  'it tells its version': async () => {
    const { status, body } = await ask('/version');
    if (status !== 200 || !JSON.parse(body).version) throw new Error(`status ${status}: ${body}`);
  },
  'it makes an offer to each of 50 visitors': async () => {
    for (let visitor = 0; visitor < 50; visitor++) await expectOffer();
  },
  'it does not know other pages': async () => {
    const { status } = await ask('/nothing');
    if (status !== 404) throw new Error(`status ${status}`);
  },
};

const xmlText = (text) => text.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const lines = [];
let failures = 0;
for (const [name, run] of Object.entries(cases)) {
  const begun = performance.now();
  let failure = '';
  try {
    await run();
  } catch (error) {
    failures++;
    failure = `<failure message="${xmlText(error.message)}"/>`;
    console.error(`${name}: ${error.message}`);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(3);
  lines.push(`  <testcase classname="contract" name="${xmlText(name)}" time="${seconds}">${failure}</testcase>`);
}
writeFileSync(
  `${process.env.MESOS_SANDBOX}/junit.xml`,
  `<?xml version="1.0"?>\n<testsuite name="contract" tests="${lines.length}" failures="${failures}">\n${lines.join('\n')}\n</testsuite>\n`,
);
process.exit(failures > 0 ? 1 : 0);
