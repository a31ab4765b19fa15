// What happens when a call of the host fails.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './app.mjs';

const EVENTS = '/rooms/default/events/';
const PICTURE = '/images/screenshot.png';
const MESSAGES = '/rooms/default/messages/';

function assertError(seen, status, code) {
  assert.equal(seen.exit, 0);
  assert.equal(seen.replied.length, 1);
  const [answer] = seen.replied;
  assert.equal(answer.status, status);
  assert.deepEqual(answer.headers, [['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'], ['X-Content-Type-Options', 'nosniff']]);
  const { error } = JSON.parse(answer.body.toString());
  assert.equal(error.code, code);
  assert.ok(error.message.length > 10);
}

// Nothing was sent, and Compute is told by the exit code.
function assertNoAnswer(seen, status) {
  assert.equal(seen.exit, 1);
  assert.deepEqual(seen.replied, []);
  assert.match(seen.log, new RegExp(`^edge: no answer could be sent: status ${status}$`, 'm'));
}

for (const status of [1, 5, 9, 4_000_000_000]) {
  test(`an origin that fails with ${status} is a 502 with a body and a line`, () => {
    for (const method of ['GET', 'POST']) {
      const seen = ask(MESSAGES, { method, send: status });
      assertError(seen, 502, 'origin-unreachable');
      assert.equal(seen.log, `edge: backend origin does not answer: status ${status}\n`);
      assert.equal(seen.sent.length, 1, 'a request is sent once: a post is not repeated');
    }
  });
}

test('what Fanout does not take is asked of the origin, so readers poll', () => {
  const seen = ask(EVENTS, { handOver: 1 });
  assert.equal(seen.exit, 0);
  assert.equal(seen.handedOver.length, 1);
  assert.equal(seen.sent.length, 1);
  assert.ok(seen.sent[0].pass);
  assert.equal(seen.replied[0], seen.originAnswer);
  assert.match(seen.log, /^edge: Fanout does not take the request .*: status 1\n$/);
});

test('without Fanout and origin it is a 502', () => {
  const seen = ask(EVENTS, { faults: { 'req.redirect_to_grip_proxy_v2': 5 }, send: 1 });
  assertError(seen, 502, 'origin-unreachable');
});

test('where the cache cannot be kept out, nothing is sent to the origin', () => {
  const seen = ask(MESSAGES, { faults: { 'req.cache_override_set': 1 } });
  assertError(seen, 500, 'edge-failed');
  assert.deepEqual(seen.sent, []);
});

for (const call of ['req.method_get', 'req.uri_get']) {
  test(`a request that cannot be read is a 500: ${call}`, () => {
    const seen = ask(EVENTS, { faults: { [call]: 3 } });
    assertError(seen, 500, 'edge-failed');
    assert.deepEqual([seen.sent, seen.handedOver], [[], []]);
    assert.equal(seen.log, 'edge: the request cannot be read: status 3\n');
  });

  test(`a request that does not fit is the origin's: ${call}`, () => {
    const seen = ask(EVENTS, { faults: { [call]: 4 } });
    assert.equal(seen.exit, 0);
    assert.deepEqual(seen.handedOver, []);
    assert.equal(seen.replied[0], seen.originAnswer);
  });
}

for (const call of ['abi.init', 'req.body_downstream_get']) {
  test(`without a request there is no answer: ${call}`, () => {
    const seen = ask(EVENTS, { faults: { [call]: 1 } });
    assertNoAnswer(seen, 1);
    assert.equal(seen.calls.at(-1), call);
  });
}

for (const [call, healthy] of [['resp.new', 0], ['resp.status_set', 0], ['resp.header_insert', 0],
  ['resp.header_insert', 1], ['resp.header_insert', 2], ['body.new', 0], ['body.write', 0],
  ['body.write', 1], ['resp.send_downstream', 0]]) {
  test(`an answer that cannot be made is not sent in part: ${call} after ${healthy}`, () => {
    for (const options of [{}, { send: 1 }]) {
      const seen = ask(options.send ? MESSAGES : PICTURE,
        { ...options, faults: { [call]: 13 }, healthy, bodyStep: 50 });
      assertNoAnswer(seen, 13);
      assert.equal(seen.calls.at(-1), call, 'it went on after the failure');
    }
  });
}

test('a body that takes nothing more does not keep the app busy', () => {
  assertNoAnswer(ask(PICTURE, { bodyStep: 0 }), 1);
});

test('an answer of the origin that cannot be passed on is no second answer', () => {
  const seen = ask(MESSAGES, { reply: 1 });
  assert.equal(seen.exit, 1);
  assert.equal(seen.replied.length, 1);
  assert.match(seen.log, /no answer could be sent: status 1/);
});
