// Imported before a utility process's entry by the Node that stands in for Electron: makes `process.parentPort`.
import { EventEmitter } from 'node:events';
import { isMainThread } from 'node:worker_threads';

class Port extends EventEmitter {
  constructor(id) {
    super();
    this.id = id;
    this.started = false;
    this.queue = [];
  }
  start() {
    this.started = true;
    for (const data of this.queue.splice(0)) this.emit('message', { data, ports: [] });
  }
  postMessage(data) {
    process.send({ kind: 'port', id: this.id, data });
  }
  close() {
    process.send({ kind: 'close', id: this.id });
    this.emit('close');
  }
  receive(data) {
    if (this.started) this.emit('message', { data, ports: [] });
    else this.queue.push(data);
  }
}

class ParentPort extends EventEmitter {
  constructor() {
    super();
    this.queue = [];
    this.on('newListener', (name) => {
      // queued until a handler is there
      if (name !== 'message') return;
      setImmediate(() => {
        for (const message of this.queue.splice(0)) this.emit('message', message);
      });
    });
  }
  receive(message) {
    if (this.listenerCount('message') === 0) this.queue.push(message);
    else this.emit('message', message);
  }
  postMessage(data) {
    process.send({ kind: 'message', data });
  }
}

// threads inherit the option that imports this
if (isMainThread) {
  const ports = new Map();
  const parentPort = new ParentPort();
  Object.defineProperty(process, 'type', { value: 'utility' });
  Object.defineProperty(process, 'parentPort', { value: parentPort });
  process.on('message', ({ kind, id, data, ids }) => {
    if (kind === 'port') ports.get(id)?.receive(data);
    else if (kind === 'close') ports.get(id)?.emit('close');
    else {
      const given = ids.map((each) => {
        const port = new Port(each);
        ports.set(each, port);
        return port;
      });
      parentPort.receive({ data, ports: given });
    }
  });
}
