"""A framework and an operator by pymesos: python program.py HOST:PORT. Writes what came true as lines of JSON."""
import getpass
import json
import sys
import threading
import time

from pymesos import MesosOperatorMasterDriver, MesosSchedulerDriver, OperatorMaster, Scheduler

PATIENCE_SECONDS = 20
lock = threading.Lock()


def tell(step, **result):
    with lock:
        print(json.dumps({'step': step, **result}), flush=True)


def until(what, condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError(what)


class Sleepers(Scheduler):
    """Launches two tasks from the first offer, and declines others."""

    def __init__(self):
        self.framework_id = None
        self.launched = {}
        self.states = {}
        self.reconciled = {}
        self.heartbeats = 0
        self.offers = 0
        self.errors = []

    def registered(self, driver, framework_id, master_info):
        self.framework_id = framework_id['value']
        tell('registered', version=master_info['version'], port=master_info['port'])

    def processHeartBeat(self, driver):
        self.heartbeats += 1

    def resourceOffers(self, driver, offers):
        for offer in offers:
            self.offers += 1
            if self.launched:
                driver.declineOffer(offer['id'], filters={'refuse_seconds': 0.1})
                continue
            tasks = [self.task(offer, name) for name in ('one', 'two')]
            self.launched = {task['task_id']['value']: offer['agent_id'] for task in tasks}
            driver.launchTasks(offer['id'], tasks)
            tell('offered', hostname=offer['hostname'], attributes=[one['text']['value'] for one in offer['attributes']])

    @staticmethod
    def task(offer, name):
        scalar = [{'name': kind, 'type': 'SCALAR', 'scalar': {'value': value}} for kind, value in (('cpus', 0.1), ('mem', 32))]
        return {
            'name': name,
            'task_id': {'value': name},
            'agent_id': offer['agent_id'],
            'resources': scalar,
            'command': {'value': 'exec sleep 1000'},
        }

    def statusUpdate(self, driver, update):
        task = update['task_id']['value']
        if update.get('reason') == 'REASON_RECONCILIATION':
            self.reconciled[task] = update['state']
        else:
            self.states.setdefault(task, []).append(update['state'])

    def error(self, driver, message):
        self.errors.append(message)


class Watcher(OperatorMaster):
    """Notes what the operator stream tells."""

    def __init__(self):
        self.seen = []

    def taskAdded(self, task_info):
        self.seen.append('added ' + task_info['name'])

    def taskUpdated(self, task_info):
        self.seen.append('updated ' + task_info['state'])

    def frameworkAdded(self, framework_info):
        self.seen.append('framework added')

    def frameworkRemoved(self, framework_info):
        self.seen.append('framework removed')


def main(master):
    watcher = Watcher()
    operator = MesosOperatorMasterDriver(master, watcher)
    operator.start()
    until('the operator stream', lambda: operator.connected)

    framework = {'user': getpass.getuser(), 'name': 'pymesos', 'failover_timeout': 60}
    scheduler = Sleepers()
    driver = MesosSchedulerDriver(scheduler, framework, master)
    driver.start()
    until('both run', lambda: [states[-1:] for states in scheduler.states.values()] == [['TASK_RUNNING']] * 2)
    agents = operator.getAgents()['get_agents']['agents']
    tell(
        'operator',
        healthy=operator.getHealth()['get_health']['healthy'],
        version=operator.getVersion()['get_version']['version_info']['version'],
        agents=[agent['agent_info']['hostname'] for agent in agents],
        tasks=sorted(task['name'] for task in operator.getTasks()['get_tasks']['tasks']),
        frameworks=[one['framework_info']['name'] for one in operator.getFrameworks()['get_frameworks']['frameworks']],
        state=sorted(operator.getState()['get_state']),
    )

    driver.suppressOffers()
    driver.killTask({'value': 'one'})
    until('the kill', lambda: scheduler.states['one'][-1] == 'TASK_KILLED')
    before = scheduler.offers
    driver.reviveOffers()
    until('an offer', lambda: scheduler.offers > before)
    driver.reconcileTasks([{'task_id': {'value': name}} for name in ('two', 'ghost')])
    until('reconciliation', lambda: len(scheduler.reconciled) == 2)
    heartbeats = scheduler.heartbeats
    driver.stop()
    driver.join()
    until('the end of the framework', lambda: 'framework removed' in watcher.seen)
    operator.stop()
    operator.join()
    tell(
        'ran',
        states=scheduler.states,
        reconciled=scheduler.reconciled,
        heartbeats=heartbeats > 0,
        errors=scheduler.errors,
        watched=sorted(set(watcher.seen)),
    )


main(sys.argv[1])
