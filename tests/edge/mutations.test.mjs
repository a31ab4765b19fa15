// Each of these mistakes, in the app or in its stand-in for Viceroy, must be found by the tests beside this file.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { root } from './app.mjs';

const run = promisify(execFile);
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-mutations-'));
const here = path.join(root, 'tests/edge');

// What finds the mistakes in the files of a folder, and whether these have to be compiled.
const kinds = {
  src: { isCompiled: true, finders: ['routes', 'answers', 'failures'] },
  local: { isCompiled: false, finders: ['standin'] },
};

after(() => fs.rmSync(place, { recursive: true }));

// What is wrong, in which file, what stands there and what instead.
const mutations = [
  ['any method is handed over', 'src/edge_route.c', '!is(verb, "GET")', '0'],
  ['a query counts as path', 'src/edge_route.c', "before(before(uri, '?'), '#')", "before(uri, '#')"],
  ['a fragment counts as path', 'src/edge_route.c', "before(before(uri, '?'), '#')", "before(uri, '?')"],
  ['an empty room is a room', 'src/edge_route.c', 'return segment.len == 0;',
    "return segment.len == 0 && segment.data[-1] != '/';"],
  ['dots are a room', 'src/edge_route.c', 'is_taken_out(segment) ||', ''],
  ['encoded dots are a room', 'src/edge_route.c', "== 'e' ? 3 : 0", "== 'e' ? 0 : 0"],
  ['dots are only encoded in small letters', 'src/edge_route.c', "(text.data[2] | 0x20) == 'e'",
    "text.data[2] == 'e'"],
  ['only one dot is taken out', 'src/edge_route.c',
    '    segment = skip(segment, dot(segment));\n    segment = skip', '    segment = skip'],
  ['what stands behind events counts not', 'src/edge_route.c', ' && is(path, "/")', ''],
  ['the last slash may be missing', 'src/edge_route.c', 'is(path, "/")',
    '(path.len == 0 || is(path, "/"))'],
  ['rooms may have any name', 'src/edge_route.c', '!is(segment, "rooms") ||', ''],
  ['names are compared at their beginning', 'src/edge_route.c',
    'text.len == strlen(what) && memcmp(text.data, what, text.len)',
    'text.len >= strlen(what) && memcmp(text.data, what, strlen(what))'],
  ['a page may have any position', 'src/edge_route.c', '!is_number(number) ||', ''],
  ['a page may have none', 'src/edge_route.c', 'return text.len > 0;', 'return 1;'],
  ['the host counts as path', 'src/edge_route.c', 'uri = skip(uri, at + 3);', 'uri = skip(uri, at + 2);'],
  ['another backend is asked', 'src/edge_main.c', '#define BACKEND "origin"', '#define BACKEND "orige"'],
  ['answers are cached', 'src/edge_main.c', 'EDGE_CACHE_PASS, 0, 0', '0, 0, 0'],
  ['the cache is not asked about', 'src/edge_main.c',
    'int rv = edge_host_cache(request.head, EDGE_CACHE_PASS, 0, 0);', 'int rv = EDGE_OK;'],
  ['it sends though the cache is there', 'src/edge_main.c',
    '        edge_log("the cache cannot be kept out", rv);\n' +
    '        return edge_answer_error(500, EDGE_FAILED);',
    '        edge_log("the cache cannot be kept out", rv);'],
  ['a dead origin is a 503', 'src/edge_main.c', 'edge_answer_error(502', 'edge_answer_error(503'],
  ['a dead origin is no answer', 'src/edge_main.c', 'return edge_answer_error(502, UNREACHABLE);',
    'return rv;'],
  ['a dead origin is not logged', 'src/edge_main.c',
    'edge_log("backend " BACKEND " does not answer", rv);', ''],
  ['the answer is sent as a stream of the app', 'src/edge_main.c',
    'return edge_host_reply(answer, body, 0);', 'return edge_host_reply(answer, body, 1);'],
  ['the origin is asked after a hand-over', 'src/edge_main.c',
    '    if (rv == EDGE_OK) {\n        return EDGE_OK;\n    }\n    /* The origin',
    '    /* The origin'],
  ['a failed hand-over is the end', 'src/edge_main.c',
    '    return ask_origin(request);\n}\n\nstatic int serve', '    return rv;\n}\n\nstatic int serve'],
  ['a long URI is an error', 'src/edge_main.c', 'if (rv == EDGE_BUFFER_LEN)', 'if (0)'],
  ['the exit code is always 0', 'src/edge_main.c', 'return rv == EDGE_OK ? 0 : 1;', 'return 0;'],
  ['errors may be cached', 'src/edge_answer.c', '"no-store"', '"public, max-age=3600"'],
  ['the status stays 200', 'src/edge_answer.c', 'edge_host_status(*answer, status)',
    'edge_host_status(*answer, 200)'],
  ['a body is written in one call', 'src/edge_answer.c', 'len -= written;', 'len = 0;'],
  ['the same piece is written again', 'src/edge_answer.c', 'data += written;', ''],
  ['a body that takes nothing is tried for ever', 'src/edge_answer.c', 'written == 0 || ', ''],
  ['a failed header is passed over', 'src/edge_answer.c',
    'return rv == EDGE_OK ? add_header(*answer, "X-Content-Type-Options", "nosniff") : rv;',
    'return rv == EDGE_OK ? (add_header(*answer, "X-Content-Type-Options", "nosniff"), 0) : rv;'],
  ['the picture is the manifest', 'src/edge_asset.S', 'resources/screenshot.png',
    'resources/demo-manifest.txt'],
  ['streams are the origin’s', 'local/serve.mjs', 'forward(exchange, options.pushpin',
    'forward(exchange, options.origin'],
  ['a query is lost', 'local/serve.mjs', 'path: exchange.path,', "path: exchange.path.split('?')[0],"],
  ['a path is decoded', 'local/serve.mjs', 'path: exchange.path,',
    "path: exchange.path.replace('%2F', '/'),"],
  ['the body of a request is lost', 'local/serve.mjs', 'incoming.pipe(upstream)', 'upstream.end()'],
  ['a header is there once', 'local/serve.mjs', 'pairs(answer.rawHeaders)',
    'Object.entries(answer.headers).map(([name, value]) => [name, String(value)])'],
  ['the status is 200', 'local/serve.mjs', 'outgoing.writeHead(answer.statusCode',
    'outgoing.writeHead(200'],
  ['a hand-over is no answer', 'local/serve.mjs', 'exchange.isHandedOver = true;', ''],
  ['a dead origin is not noticed', 'local/serve.mjs', 'done(answer ? OK : ERROR)', 'done(OK)'],
  ['a client that leaves is not noticed', 'local/serve.mjs',
    "outgoing.on('close', () => upstream.destroy());", ''],
  ['the app is told that all is well', 'local/worker.mjs', 'return shared[1];', 'return OK;'],
  ['the app waits for nothing', 'local/worker.mjs', 'Atomics.wait(shared, 0, 0);', ''],
];

// Makes the mistake in a copy of the app's folder, and whatever the tests need to run against that.
async function make([, file, right, wrongly], { isCompiled }, app) {
  fs.cpSync(path.join(root, 'edge'), app, {
    recursive: true, filter: (name) => !/\/(bin|pkg|pushpin-logs|node_modules)$/.test(name),
  });
  const source = fs.readFileSync(path.join(app, file), 'utf8');
  assert.equal(source.split(right).length, 2, 'the mutation does not fit the source any more');
  fs.writeFileSync(path.join(app, file), source.replace(right, () => wrongly));
  if (!isCompiled) {
    return { EDGE_LOCAL: path.join(app, 'local') };
  }
  // A mistake that the compiler would warn of is one for the tests all the same.
  await run(path.join(app, 'build.sh'), [], { env: { ...process.env, CFLAGS: '-w' } });
  return { EDGE_MODULE: path.join(app, 'bin/main.wasm') };
}

async function isFound(number, mutation) {
  const kind = kinds[mutation[1].split('/')[0]];
  const environment = { ...process.env,
    ...await make(mutation, kind, path.join(place, String(number))) };
  // Not a part of this run.
  delete environment.NODE_TEST_CONTEXT;
  const suite = kind.finders
    .map((name) => `await import(${JSON.stringify(path.join(here, `${name}.test.mjs`))});`).join('\n');
  // One that fails is enough: the rest, and what a test has started, ends at once.
  const tests = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', suite],
    { env: environment, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const end = () => process.kill(-tests.pid, 'SIGKILL');
  const tooLate = setTimeout(end, 15_000);
  let said = '';
  tests.stdout.on('data', (piece) => {
    said += piece;
    if (/^not ok/m.test(said)) {
      end();
    }
  });
  const [code] = await once(tests, 'close');
  clearTimeout(tooLate);
  return code !== 0;
}

// What is no mistake must not be found: else a run that cannot even start would find them all.
const none = [
  ['the app as it is', 'src/edge_main.c', '#define BACKEND "origin"', '#define BACKEND "origin"'],
  ['the stand-in as it is', 'local/serve.mjs', 'const idle = [];', 'const idle = [];'],
];

// Two at a time, and each test waits for its own.
const ways = [Promise.resolve(), Promise.resolve()];

for (const [number, mutation] of [...mutations, ...none].entries()) {
  const isMistake = number < mutations.length;
  const found = ways[number % 2].then(() => isFound(number, mutation));
  ways[number % 2] = found.catch(() => {});
  test(`${isMistake ? 'found' : 'not found'}: ${mutation[0]}`, async () => {
    assert.equal(await found, isMistake);
  });
}
