"""Takes apps through their life with marathon-python, whose models refuse keys that they do not know.

Writes what the library made of each answer as a line of JSON.
"""
import json
import sys
import threading
import time

from marathon import MarathonApp, MarathonClient, MarathonHttpError
from marathon.models import MarathonDeployment, MarathonGroup, MarathonHealthCheck
from marathon.models.events import EventFactory

PATIENCE_SECONDS = 20
# Marathon 1.7 writes plans without the groups that the library's model of these demands.
WITH_A_PLAN = {'deployment_info', 'deployment_step_success', 'deployment_step_failure'}

client = MarathonClient(sys.argv[1])


def tell(step, **result):
    print(json.dumps({'step': step, **result}, default=str), flush=True)


def until(what, condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise TimeoutError(what)


def idle():
    return not client.list_deployments()


def settle():
    until('no deployment', idle)


def app(instances=1, **more):
    return MarathonApp(**{'cmd': 'exec sleep 1000', 'cpus': 0.1, 'mem': 16, 'instances': instances, **more})


def task_ids(app_id):
    return sorted(task.id for task in client.list_tasks(app_id))


def refused(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except MarathonHttpError as error:
        return [type(error).__name__, error.status_code, error.error_message]
    return None


class Listener(threading.Thread):
    """Reads the stream until it ends or the program does. The library gives an event only when 512 bytes are there."""

    def __init__(self, raw):
        super().__init__(daemon=True)
        self.raw = raw
        self.seen = []

    def run(self):
        types = None if self.raw else sorted(set(EventFactory.event_to_class) - WITH_A_PLAN)
        for event in client.event_stream(raw=self.raw, event_types=types):
            self.seen.append(json.loads(event)['eventType'] if self.raw else type(event).__name__)


def wake():
    """Makes events enough for the library to give what it has read."""
    client.create_app('/wake', app(0))
    settle()
    client.delete_app('/wake')
    settle()
    return True


def service():
    info = client.get_info()
    tell(
        'service',
        ping=client.ping().decode(),
        name=info.name,
        version=info.version,
        elected=info.elected,
        leader=client.get_leader(),
        info_leader=info.leader,
        master=info.marathon_config.master,
        failover=info.marathon_config.failover_timeout,
        http_port=info.http_config.http_port,
        metrics=sorted(client.get_metrics())[:1] != [],
    )


def life():
    created = client.create_app('/web', app(2, env={'A': '1'}, labels={'team': 'shop'}))
    deploying = client.list_deployments()
    settle()
    found = client.get_app('/web', embed_tasks=True, embed_task_stats=True, embed_readiness=True)
    tell(
        'created',
        deployments=[type(deployment).__name__ for deployment in created.deployments],
        affected=[deployment.affected_apps for deployment in deploying if isinstance(deployment, MarathonDeployment)],
        running=found.tasks_running,
        tasks=[[task.app_id, task.state, len(task.ports), task.started_at is not None] for task in found.tasks],
        counted=found.task_stats.total_summary.stats.counts.running,
        network=found.networks,
        env=found.env,
    )
    listed = client.list_apps(label='team==shop', embed_tasks=True, embed_counts=True, embed_last_task_failure=True)
    endpoints = client.list_endpoints()
    tell('listed', ids=[one.id for one in listed], tasks=len(listed[0].tasks), endpoints=len(endpoints))

    client.scale_app('/web', delta=1)
    settle()
    scaled = client.get_app('/web')
    changed = client.get_app('/web')
    changed.env = {'A': '2'}
    changed.mem = 20
    client.update_app('/web', changed)
    settle()
    updated = client.get_app('/web')
    versions = client.list_versions('/web')
    old = client.get_version('/web', scaled.version)
    client.rollback_app('/web', scaled.version)
    settle()
    back = client.get_app('/web')
    tell(
        'updated',
        scaled=[scaled.instances, scaled.tasks_running],
        updated=[updated.instances, updated.env, updated.mem],
        versions=len(versions),
        old=[old.instances, old.env, old.mem],
        back=[back.instances, back.env, back.mem],
    )

    before = task_ids('/web')
    restarting = client.restart_app('/web')
    settle()
    after = task_ids('/web')
    tell('restarted', keys=sorted(restarting), tasks=len(after), kept=len(set(before) & set(after)))


def killing():
    first, second, third = client.list_tasks('/web')
    killed = client.kill_task('/web', first.id)
    until('a replacement', lambda: first.id not in task_ids('/web') and client.get_app('/web').tasks_running == 3)
    scaling = client.kill_task('/web', second.id, scale=True)
    settle()
    lowered = client.get_app('/web').instances
    client.kill_given_tasks([third.id], scale=True)
    settle()
    everything = client.kill_tasks('/web')
    last = everything[0].id
    until('a replacement', lambda: last not in task_ids('/web') and client.get_app('/web').tasks_running == 1)
    host = client.list_tasks('/web')[0].host
    elsewhere = client.kill_tasks('/web', host='nowhere')
    there = client.kill_tasks('/web', host=host, scale=True)
    settle()
    tell(
        'killed',
        one=killed.id == first.id,
        scaling=sorted(scaling),
        lowered=lowered,
        all=len(everything),
        elsewhere=len(elsewhere),
        there=sorted(there),
        left=[client.get_app('/web').instances, task_ids('/web')],
    )


def legacy():
    """What the library's own tests create: fields of Marathon before 1.5."""
    client.create_app('/legacy', app(
        0, args=[], constraints=[('hostname', 'UNIQUE')], uris=['file:///etc/docker.tar.gz'], backoff_factor=2,
        backoff_seconds=1, max_launch_delay_seconds=30, ports=[0],
        health_checks=[MarathonHealthCheck(protocol='HTTP', path='/health', port_index=0, grace_period_seconds=3)],
        upgrade_strategy={'minimumHealthCapacity': 0.5, 'maximumOverCapacity': 0}))
    settle()
    found = client.get_app('/legacy')
    client.update_apps([app(0, id='/legacy', mem=17), app(0, id='/another')])
    settle()
    tell(
        'legacy',
        constraints=[[one.field, one.operator] for one in found.constraints],
        fetch=[one['uri'] for one in found.fetch],
        ports=len(found.port_definitions),
        checks=[[check.protocol, check.path, check.grace_period_seconds] for check in found.health_checks],
        strategy=[found.upgrade_strategy.minimum_health_capacity, found.upgrade_strategy.maximum_over_capacity],
        backoff=[found.backoff_seconds, found.backoff_factor, found.max_launch_delay_seconds],
        both=[client.get_app('/legacy').mem, client.get_app('/another').mem],
    )
    for app_id in ('/legacy', '/another'):
        client.delete_app(app_id)
    settle()


def waiting():
    client.create_app('/large', app(cpus=64))
    item = until('a place in the queue', lambda: next(
        (one for one in client.list_queue(embed_last_unused_offers=True) if one.last_unused_offers and one.delay.overdue), None))
    locked = refused(client.scale_app, '/large', 2)
    client.reset_delay('/large')
    deployment, = client.list_deployments()
    undoing = client.delete_deployment(deployment.id)
    settle()
    tell(
        'waiting',
        queued=[item.app.id, item.count, item.delay.overdue],
        reasons=sorted({reason for offer in item.last_unused_offers for reason in offer['reason']}),
        locked=locked[:2],
        steps=[[[action.action, action.app] for action in step.actions] for step in deployment.steps],
        progress=[deployment.current_step, deployment.total_steps],
        undoing=sorted(undoing),
        left=refused(client.get_app, '/large'),
    )


def groups():
    made = client.create_group(MarathonGroup(
        id='/shop', apps=[app(1, id='/shop/db')], groups=[MarathonGroup(id='/shop/web', apps=[app(2, id='/shop/web/ui')])]))
    settle()
    found = client.get_group('/shop')
    client.scale_group('/shop', 2)
    settle()
    doubled = [client.get_app(one).instances for one in ('/shop/db', '/shop/web/ui')]
    listed = [group.id for group in client.list_groups()]
    client.update_group('/shop', MarathonGroup(id='/shop', apps=[app(1, id='/shop/db')]))
    settle()
    client.delete_group('/shop')
    settle()
    tell(
        'groups',
        apps=[one.id for one in found.apps],
        groups=[group.id for group in found.groups],
        doubled=doubled,
        made=sorted(made),
        listed=listed,
        gone=refused(client.get_group, '/shop'),
    )


def refusals():
    tell(
        'refusals',
        duplicate=refused(client.create_app, '/web', app()),
        missing=refused(client.get_app, '/nothing'),
        invalid=refused(client.create_app, '/bad', app(cpus=-1)),
        rule=refused(client.create_app, '/bad', MarathonApp(mem=16)),
        version=refused(client.get_version, '/web', '2000-01-01T00:00:00.000Z'),
    )


def deletion():
    client.delete_app('/web')
    settle()
    tell('deleted', left=client.list_apps())


def main():
    raw, typed = Listener(raw=True), Listener(raw=False)
    raw.start()
    typed.start()
    until('the stream', lambda: wake() and raw.seen and typed.seen)
    service()
    life()
    killing()
    legacy()
    waiting()
    groups()
    refusals()
    deletion()
    ends = {'MarathonAppTerminatedEvent', 'MarathonDeploymentFailed'}
    until('the last events', lambda: wake() and ends <= set(typed.seen) and 'app_terminated_event' in raw.seen)
    tell('events', raw=sorted(set(raw.seen)), typed=sorted(set(typed.seen)), alive=typed.is_alive() and raw.is_alive())


main()
