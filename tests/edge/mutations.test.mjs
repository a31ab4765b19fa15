// Each of these mistakes in the app must be found by the tests beside this file.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { root } from './app.mjs';

const run = promisify(execFile);
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-mutations-'));
const here = path.join(root, 'tests/edge');
const suite = ['routes', 'answers', 'failures']
  .map((name) => `await import(${JSON.stringify(path.join(here, `${name}.test.mjs`))});`).join('\n');

after(() => fs.rmSync(place, { recursive: true }));

// What is wrong, in which file, what stands there and what instead.
const mutations = [
  ['any method is handed over', 'edge_route.c', '!is(verb, "GET")', '0'],
  ['a query counts as path', 'edge_route.c', "before(before(uri, '?'), '#')", "before(uri, '#')"],
  ['a fragment counts as path', 'edge_route.c', "before(before(uri, '?'), '#')", "before(uri, '?')"],
  ['an empty room is a room', 'edge_route.c', 'return segment.len == 0;',
    "return segment.len == 0 && segment.data[-1] != '/';"],
  ['dots are a room', 'edge_route.c', 'is_taken_out(segment) ||', ''],
  ['encoded dots are a room', 'edge_route.c', "== 'e' ? 3 : 0", "== 'e' ? 0 : 0"],
  ['dots are only encoded in small letters', 'edge_route.c', "(text.data[2] | 0x20) == 'e'",
    "text.data[2] == 'e'"],
  ['only one dot is taken out', 'edge_route.c',
    '    segment = skip(segment, dot(segment));\n    segment = skip', '    segment = skip'],
  ['what stands behind events counts not', 'edge_route.c', ' && is(path, "/")', ''],
  ['the last slash may be missing', 'edge_route.c', 'is(path, "/")',
    '(path.len == 0 || is(path, "/"))'],
  ['rooms may have any name', 'edge_route.c', '!is(segment, "rooms") ||', ''],
  ['names are compared at their beginning', 'edge_route.c',
    'text.len == strlen(what) && memcmp(text.data, what, text.len)',
    'text.len >= strlen(what) && memcmp(text.data, what, strlen(what))'],
  ['a page may have any position', 'edge_route.c', '!is_number(number) ||', ''],
  ['a page may have none', 'edge_route.c', 'return text.len > 0;', 'return 1;'],
  ['the host counts as path', 'edge_route.c', 'uri = skip(uri, at + 3);', 'uri = skip(uri, at + 2);'],
  ['another backend is asked', 'edge_main.c', '#define BACKEND "origin"', '#define BACKEND "orige"'],
  ['answers are cached', 'edge_main.c', 'EDGE_CACHE_PASS, 0, 0', '0, 0, 0'],
  ['the cache is not asked about', 'edge_main.c',
    'int rv = edge_host_cache(request.head, EDGE_CACHE_PASS, 0, 0);', 'int rv = EDGE_OK;'],
  ['it sends though the cache is there', 'edge_main.c',
    '        edge_log("the cache cannot be kept out", rv);\n' +
    '        return edge_answer_error(500, EDGE_FAILED);',
    '        edge_log("the cache cannot be kept out", rv);'],
  ['a dead origin is a 503', 'edge_main.c', 'edge_answer_error(502', 'edge_answer_error(503'],
  ['a dead origin is no answer', 'edge_main.c', 'return edge_answer_error(502, UNREACHABLE);',
    'return rv;'],
  ['a dead origin is not logged', 'edge_main.c',
    'edge_log("backend " BACKEND " does not answer", rv);', ''],
  ['the answer is sent as a stream of the app', 'edge_main.c',
    'return edge_host_reply(answer, body, 0);', 'return edge_host_reply(answer, body, 1);'],
  ['the origin is asked after a hand-over', 'edge_main.c',
    '    if (rv == EDGE_OK) {\n        return EDGE_OK;\n    }\n    /* The origin',
    '    /* The origin'],
  ['a failed hand-over is the end', 'edge_main.c',
    '    return ask_origin(request);\n}\n\nstatic int serve', '    return rv;\n}\n\nstatic int serve'],
  ['a long URI is an error', 'edge_main.c', 'if (rv == EDGE_BUFFER_LEN)', 'if (0)'],
  ['the exit code is always 0', 'edge_main.c', 'return rv == EDGE_OK ? 0 : 1;', 'return 0;'],
  ['errors may be cached', 'edge_answer.c', '"no-store"', '"public, max-age=3600"'],
  ['the status stays 200', 'edge_answer.c', 'edge_host_status(*answer, status)',
    'edge_host_status(*answer, 200)'],
  ['a body is written in one call', 'edge_answer.c', 'len -= written;', 'len = 0;'],
  ['the same piece is written again', 'edge_answer.c', 'data += written;', ''],
  ['a body that takes nothing is tried for ever', 'edge_answer.c', 'written == 0 || ', ''],
  ['a failed header is passed over', 'edge_answer.c',
    'return rv == EDGE_OK ? add_header(*answer, "X-Content-Type-Options", "nosniff") : rv;',
    'return rv == EDGE_OK ? (add_header(*answer, "X-Content-Type-Options", "nosniff"), 0) : rv;'],
  ['the picture is the manifest', 'edge_asset.S', 'resources/screenshot.png',
    'resources/demo-manifest.txt'],
];

async function isFound(number, [, file, right, wrongly]) {
  const app = path.join(place, String(number));
  fs.cpSync(path.join(root, 'edge'), app, {
    recursive: true, filter: (name) => !/\/(bin|pkg|node_modules|local)$/.test(name),
  });
  const source = fs.readFileSync(path.join(app, 'src', file), 'utf8');
  assert.equal(source.split(right).length, 2, 'the mutation does not fit the source any more');
  fs.writeFileSync(path.join(app, 'src', file), source.replace(right, () => wrongly));
  const environment = { ...process.env, EDGE_MODULE: path.join(app, 'bin/main.wasm') };
  // Not a part of this run.
  delete environment.NODE_TEST_CONTEXT;
  // A mistake that the compiler would warn of is one for the tests all the same.
  await run(path.join(app, 'build.sh'), [], { env: { ...environment, CFLAGS: '-w' } });
  try {
    await run(process.execPath, ['--no-warnings', '--input-type=module', '-e', suite],
      { env: environment, timeout: 10_000, killSignal: 'SIGKILL' });
    return false;
  } catch {
    return true;
  }
}

// Two at a time, and each test waits for its own.
const ways = [Promise.resolve(), Promise.resolve()];

for (const [number, mutation] of mutations.entries()) {
  const found = ways[number % 2].then(() => isFound(number, mutation));
  ways[number % 2] = found.catch(() => {});
  test(`found: ${mutation[0]}`, async () => {
    assert.ok(await found, 'no test has failed');
  });
}
