// Stands in on a private bus for PolicyKit, which says yes or no to RealtimeKit's questions, and for a desktop's portal,
// which sets what it is asked. Arguments: address of the bus, `yes`, `no` or `portal`. Prints `ready`.
const { setPriority } = require('node:os');
const dbus = require('dbus-native');

const [busAddress, verdict] = process.argv.slice(2);
const bus = dbus.createClient({ busAddress });
if (verdict === 'portal') {
  bus.exportInterface(
    { MakeThreadHighPriorityWithPID: (_process, thread, niceness) => setPriority(Number(thread), niceness) },
    '/org/freedesktop/portal/desktop',
    { name: 'org.freedesktop.portal.Realtime', methods: { MakeThreadHighPriorityWithPID: ['tti', ''] } },
  );
  bus.requestName('org.freedesktop.portal.Desktop', 0, () => console.log('ready'));
} else {
  bus.exportInterface(
    { CheckAuthorization: () => [verdict === 'yes', false, []] },
    '/org/freedesktop/PolicyKit1/Authority',
    {
      name: 'org.freedesktop.PolicyKit1.Authority',
      methods: { CheckAuthorization: ['(sa{sv})sa{ss}us', '(bba{ss})'] },
    },
  );
  bus.requestName('org.freedesktop.PolicyKit1', 0, () => console.log('ready'));
}
