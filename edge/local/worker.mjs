// A thread in which the module runs, so that its calls can wait for what the main thread does meanwhile.
import { parentPort, workerData } from 'node:worker_threads';
import { Host, OK } from './host.mjs';

const shared = new Int32Array(workerData.shared);

// Has the main thread do something, and waits for the status that it ends with.
function ask(what) {
  Atomics.store(shared, 0, 0);
  parentPort.postMessage(what);
  Atomics.wait(shared, 0, 0);
  return shared[1];
}

const outside = {
  send(backend) {
    const status = ask({ call: 'send', backend });
    return { status, answer: status === OK ? { headers: [], body: null, isOrigins: true } : null };
  },
  handOver: (backend) => ask({ call: 'handOver', backend }),
  reply: (answer) => ask({ call: 'reply', answer }),
};

parentPort.on('message', (request) => {
  let exit = 1;
  try {
    exit = new Host({ ...request, body: null }, outside).run(workerData.module);
  } catch (problem) {
    console.error(`edge: the module was ended: ${problem}`);
  }
  parentPort.postMessage({ call: 'exit', exit });
});
