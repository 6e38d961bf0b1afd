import { describe, expect, it } from '@jest/globals';
import { parseInfo, parseProcesses, parseServersState, parseStat, RuntimeFormatError } from './runtime-answers.ts';

// Recorded from HAProxy 2.6.12, shortened.
const STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 prod.web 1 r1.inst-1 127.0.0.1 2 0 252 252 2 1 0 2 0 0 0 0 - 19101 - 0 0 - - 0
3 prod.web 2 r1.inst-2 127.0.0.1 2 1 252 252 2 1 0 2 0 0 0 0 - 19102 - 0 0 - - 0
3 prod.web 3 r1.inst-3 127.0.0.1 2 64 252 252 2 1 0 2 0 0 0 0 - 19103 - 0 0 - - 0
4 health.prod.web.r1 1 r1.inst-1 127.0.0.1 2 0 1 1 2 15 3 2 6 0 0 0 - 19101 - 0 0 - - 0
4 health.prod.web.r1 2 r1.inst-2 127.0.0.1 0 0 1 1 2 8 2 0 6 0 0 0 - 19102 - 0 0 - - 0

`;

const STAT = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,
prod,FRONTEND,,,0,0,9977,0,0,0,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,0,,,,0,5,0,0,0,0,,0,0,0,,,0,0,0,0,,,,,,,,
prod.web,r1.inst-1,0,0,2,3,,30,0,0,,0,,4,1,0,0,UP,252,1,0,,,2,,,1,3,1,,0,health.prod.web.r1/r1.inst-1,2,0,,0,,,,7,20,3,2,5,0,,,,30,0,0,,,,,-1,,,0,0,12,13,
prod.web,r1.inst-2,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,252,1,0,,,2,,,1,3,2,,0,,2,0,,0,L7STS,500,1,0,0,0,0,0,0,,,,0,0,0,,,,,-1,"HTTP, ""status"" 500",,0,0,0,0,
prod.web,r2.inst-3,0,0,0,0,,0,0,0,,0,,0,0,0,0,DRAIN,0,1,0,,,2,,,1,3,3,,0,,2,0,,0,,,,0,0,0,0,0,0,,,,0,0,0,,,,,-1,,,0,0,0,0,
prod.web,BACKEND,0,0,0,0,998,0,0,0,0,0,,0,0,0,0,UP,840,4,0,,0,2,0,,1,3,0,,0,,1,0,,0,,,,0,25,0,0,0,0,,,,30,0,0,0,0,0,0,-1,,,0,0,0,0,

`;

describe('parseServersState', () => {
  it('reads state, weight and the last check', () => {
    expect(parseServersState(STATE)).toEqual([
      { backend: 'prod.web', name: 'r1.inst-1', running: true, withdrawn: false, checkPassed: false, weight: 252 },
      { backend: 'prod.web', name: 'r1.inst-2', running: true, withdrawn: true, checkPassed: false, weight: 252 },
      { backend: 'prod.web', name: 'r1.inst-3', running: true, withdrawn: false, checkPassed: false, weight: 252 },
      {
        backend: 'health.prod.web.r1',
        name: 'r1.inst-1',
        running: true,
        withdrawn: false,
        checkPassed: true,
        weight: 1,
      },
      {
        backend: 'health.prod.web.r1',
        name: 'r1.inst-2',
        running: false,
        withdrawn: false,
        checkPassed: false,
        weight: 1,
      },
    ]);
  });

  it.each([
    ['before the first check', '2 0 1 1 0 1 0 2 3', false],
    ['after one that passed', '2 0 1 1 2 15 3 2 6', true],
    ['in the check after one that passed', '2 0 1 1 2 15 0 2 7', true],
    ['after one that failed', '2 0 1 1 2 17 2 1 6', false],
    ['in the check after one that failed', '2 0 1 1 2 17 0 1 7', false],
    ['in the check after one that nothing answered', '0 0 1 1 2 8 0 0 7', false],
  ])('knows %s whether the last check passed', (_when, columns, passed) => {
    const [version, header] = STATE.split('\n');
    const row = `4 health.prod.web.r1 1 r1.inst-1 127.0.0.1 ${columns} 0 0 0 - 19101 - 0 0 - - 0`;
    expect(parseServersState(`${version}\n${header}\n${row}\n`)).toMatchObject([{ checkPassed: passed }]);
  });

  it('has no server where there is none', () => {
    expect(parseServersState(`${STATE.split('\n').slice(0, 2).join('\n')}\n\n`)).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['another version', STATE.replace(/^1/, '2')],
    ['a line cut short', '1\n# be_id be_name srv_id srv_name srv_op_state\n3 prod.web\n'],
    ['a complaint', "Can't find backend.\n\n"],
  ])('refuses %s', (_name, text) => {
    expect(() => parseServersState(text)).toThrow(RuntimeFormatError);
  });
});

describe('parseStat', () => {
  it('reads the counters of servers alone', () => {
    expect(parseStat(STAT)).toEqual([
      {
        backend: 'prod.web',
        name: 'r1.inst-1',
        up: true,
        sessions: 2,
        answers: 30,
        errors5xx: 5,
        errorsConnection: 5,
        latencyMs: 12,
      },
      {
        backend: 'prod.web',
        name: 'r1.inst-2',
        up: false,
        sessions: 0,
        answers: 0,
        errors5xx: 0,
        errorsConnection: 0,
      },
      { backend: 'prod.web', name: 'r2.inst-3', up: true, sessions: 0, answers: 0, errors5xx: 0, errorsConnection: 0 },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['a state', STATE],
    ['no numbers', STAT.replace(',20,3,2,5,0,', ',20,3,2,x,0,')],
  ])('refuses %s', (_name, text) => {
    expect(() => parseStat(text)).toThrow(RuntimeFormatError);
  });
});

describe('parseInfo', () => {
  it('tells the process and what its configuration says of itself', () => {
    const text = 'Name: HAProxy\nPid: 19975\nUptime: 0d 0h06m00s\nUptime_sec: 360\nnode: vm\ndescription: a: b\n\n';
    expect(parseInfo(text)).toEqual({ pid: 19975, uptimeSeconds: 360, description: 'a: b' });
    expect(parseInfo('Pid: 7\nUptime_sec: 0\n')).toEqual({ pid: 7, uptimeSeconds: 0, description: '' });
  });

  it('refuses something else', () => {
    expect(() => parseInfo('Unknown command.\n')).toThrow(RuntimeFormatError);
  });
});

describe('parseProcesses', () => {
  it('tells new workers from old ones', () => {
    const text = `#<PID>          <type>          <reloads>       <uptime>        <version>
1162            master          5 [failed: 2]   0d00h02m07s     2.6.12
# workers
1271            worker          1               0d00h00m00s     2.6.12
# old workers
1233            worker          3               0d00h00m43s     2.6.12
# programs

`;
    expect(parseProcesses(text)).toEqual([
      { pid: 1162, kind: 'master', failedReloads: 2 },
      { pid: 1271, kind: 'worker', failedReloads: 0 },
      { pid: 1233, kind: 'old worker', failedReloads: 0 },
    ]);
  });

  it('refuses the answer of a worker', () => {
    expect(() => parseProcesses("Unknown command: 'show proc'\n")).toThrow(RuntimeFormatError);
  });
});
