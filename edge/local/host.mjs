// The host's side of the calls in src/edge_host.h, for one request. What lies outside of the module, the
// client and the backends, is an object with
//   send(backend, request)  {status, answer}: status 0 and what the origin answered, or an error's number
//   handOver(backend, request)  a status
//   reply(answer)  a status; the answer is what send gave, or {status, headers, body} made by the module
// It is as strict as the interface is documented to be: what was sent is gone, and nothing is sent twice.
import { WASI } from 'node:wasi';

export const OK = 0;
export const ERROR = 1;
export const INVALID = 2;
export const BAD_HANDLE = 3;
export const BUFFER_LEN = 4;
export const UNSUPPORTED = 5;

const CACHE_PASS = 1;

export class Host {
  // `faults` maps the name of a call to the status that it ends with instead of being made, after `healthy`
  // calls of this name that were; `bodyStep` is how many bytes body.write takes at a time.
  constructor(request, outside, { faults = {}, healthy = 0, bodyStep = Infinity } = {}) {
    this.calls = [];
    this.memory = null;
    this.outside = outside;
    this.faults = faults;
    this.healthy = healthy;
    this.bodyStep = bodyStep;
    this.isAnswered = false;
    this.handles = [];
    this.request = { ...request, pass: false };
  }

  // Runs a module and returns its exit code; `stderr` is the descriptor that its log goes to.
  run(module, stderr = 2) {
    const wasi = new WASI({ version: 'preview1', returnOnExit: true, stderr });
    const instance = new WebAssembly.Instance(module, {
      ...this.imports(),
      wasi_snapshot_preview1: wasi.wasiImport,
    });
    this.memory = instance.exports.memory;
    return wasi.start(instance);
  }

  imports() {
    return {
      fastly_abi: this.#group('abi', {
        init: (version) => (version === 1n ? OK : UNSUPPORTED),
      }),
      fastly_http_req: this.#group('req', {
        body_downstream_get: (requestOut, bodyOut) => {
          this.#give(requestOut, { kind: 'request', value: this.request });
          this.#give(bodyOut, { kind: 'body', value: this.request.body });
          return OK;
        },
        method_get: (request, buffer, size, lenOut) =>
          this.#with(request, 'request', () =>
            this.#text(this.request.method, buffer, size, lenOut)),
        uri_get: (request, buffer, size, lenOut) =>
          this.#with(request, 'request', () => this.#text(this.request.uri, buffer, size, lenOut)),
        cache_override_set: (request, what) =>
          this.#with(request, 'request', () => {
            this.request.pass = (what & CACHE_PASS) !== 0;
            return OK;
          }),
        send: (request, body, name, nameLen, answerOut, bodyOut) =>
          this.#with(request, 'request', () =>
            this.#with(body, 'body', () => {
              this.#take(request);
              this.#take(body);
              const { status, answer } = this.outside.send(this.#read(name, nameLen), this.request);
              if (status !== OK) {
                return status;
              }
              this.#give(answerOut, { kind: 'answer', value: answer });
              this.#give(bodyOut, { kind: 'body', value: answer.body });
              return OK;
            })),
        redirect_to_grip_proxy_v2: (request, name, nameLen) =>
          this.#with(request, 'request', () =>
            this.#end(() => this.outside.handOver(this.#read(name, nameLen), this.request))),
      }),
      fastly_http_resp: this.#group('resp', {
        new: (answerOut) => {
          this.#give(answerOut, { kind: 'answer', value: { status: 200, headers: [] } });
          return OK;
        },
        status_set: (answer, status) =>
          this.#with(answer, 'answer', (value) => {
            value.status = status;
            return OK;
          }),
        header_insert: (answer, name, nameLen, value, valueLen) =>
          this.#with(answer, 'answer', (made) => {
            made.headers.push([this.#read(name, nameLen), this.#read(value, valueLen)]);
            return OK;
          }),
        send_downstream: (answer, body, streaming) =>
          this.#with(answer, 'answer', (value) =>
            this.#with(body, 'body', (bytes) => {
              if (streaming !== 0) {
                return UNSUPPORTED;
              }
              this.#take(answer);
              this.#take(body);
              value.body = Array.isArray(bytes) ? Buffer.concat(bytes) : bytes;
              return this.#end(() => this.outside.reply(value));
            })),
      }),
      fastly_http_body: this.#group('body', {
        new: (bodyOut) => {
          this.#give(bodyOut, { kind: 'body', value: [] });
          return OK;
        },
        write: (body, data, len, end, writtenOut) =>
          this.#with(body, 'body', (pieces) => {
            if (!Array.isArray(pieces) || end !== 0) {
              return INVALID;
            }
            const step = Math.min(len, this.bodyStep);
            pieces.push(Buffer.from(new Uint8Array(this.memory.buffer, data, step)));
            this.#setNumber(writtenOut, step);
            return OK;
          }),
      }),
    };
  }

  // Every call is noted, and may be made to fail before it does anything.
  #group(prefix, calls) {
    const wrapped = {};
    for (const [name, call] of Object.entries(calls)) {
      const full = `${prefix}.${name}`;
      let made = 0;
      wrapped[name] = (...values) => {
        this.calls.push(full);
        made += 1;
        return full in this.faults && made > this.healthy ? this.faults[full] : call(...values);
      };
    }
    return wrapped;
  }

  // A client is answered, or handed over, once.
  #end(call) {
    if (this.isAnswered) {
      return ERROR;
    }
    const status = call();
    this.isAnswered = status === OK;
    return status;
  }

  #with(handle, kind, call) {
    const held = this.handles[handle];
    return held && held.kind === kind ? call(held.value) : BAD_HANDLE;
  }

  #take(handle) {
    this.handles[handle] = null;
  }

  #give(address, held) {
    this.#setNumber(address, this.handles.push(held) - 1);
  }

  #setNumber(address, number) {
    new DataView(this.memory.buffer).setUint32(address, number, true);
  }

  #read(address, len) {
    return Buffer.from(new Uint8Array(this.memory.buffer, address, len)).toString('latin1');
  }

  #text(text, buffer, size, lenOut) {
    const bytes = Buffer.from(text, 'latin1');
    this.#setNumber(lenOut, bytes.length);
    if (bytes.length > size) {
      return BUFFER_LEN;
    }
    new Uint8Array(this.memory.buffer, buffer, bytes.length).set(bytes);
    return OK;
  }
}
