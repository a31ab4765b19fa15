/**
 * The page of mod_grip_chat: chooses between join page and chat, and puts the parts together.
 */

import { Composer } from './composer.js';
import { Messages } from './messages.js';
import { OwnMessages } from './own.js';
import { isMessage, requestJson } from './requests.js';
import { RoomStream } from './stream.js';

const DEFAULT_ROOM = 'default';
const NAME = /^\P{Cc}{1,64}$/u;     // of people and rooms; counts code points

const byId = (id) => document.getElementById(id);

/** @returns {string} what is wrong with the name of a person or a room; empty if nothing is */
function problemOf(name) {
  return NAME.test(name) ? '' : 'A name has 1 to 64 characters, and no control characters.';
}

/** @returns {string} the room in the address; empty if it is not valid UTF-8 */
function roomOf(location) {
  try {
    return decodeURIComponent(location.pathname.split('/').pop()) || DEFAULT_ROOM;
  } catch {
    return '';
  }
}

function showJoin(room, user) {
  const form = byId('join-form');
  const input = byId('nickname');
  const check = () => input.setCustomValidity(problemOf(input.value.trim()));
  byId('join').hidden = false;
  byId('join-room').textContent = room;
  if (problemOf(room)) {
    byId('join-fields').hidden = true;
    byId('room-problem').textContent = `There is no such room. ${problemOf(room)}`;
  }
  form.action = encodeURIComponent(room);
  form.addEventListener('submit', () => { input.value = input.value.trim(); });
  input.addEventListener('input', check);
  input.value = user;
  input.focus();
  check();
  if (user) {
    form.reportValidity(); // it came with the address and does not fit
  }
}

function showChat(room, user) {
  byId('chat').hidden = false; // first: what is hidden takes no focus
  const statusTexts = { connected: 'Connected', reconnecting: 'Reconnecting…' };
  const roomUrl = `rooms/${encodeURIComponent(room)}/`;
  const own = new OwnMessages(roomUrl, user);
  const messages = new Messages((message) => own.has(message));
  const take = (message) => {
    messages.add(message);
    if (composer.sawOwn(message.key)) {
      messages.showNewest();
    }
  };
  const composer = new Composer(async (text, key, timeoutMs) => {
    const body = new URLSearchParams({ from: user, text });
    const options = { method: 'POST', headers: { 'Idempotency-Key': `"${key}"` }, body };
    own.note(key); // the event may come before the answer
    const stored = await requestJson(`${roomUrl}messages/`, options, isMessage, timeoutMs)
      .catch((error) => {
        if (error.code === 'idempotency-key-used') {
          own.forget(key);
        }
        throw error;
      });
    own.note(key, stored.id);
    take(stored);
  });
  byId('chat-room').textContent = room;
  byId('chat-user').textContent = user;
  byId('leave').href = encodeURIComponent(room);
  new RoomStream(roomUrl, {
    onHistory: (history) => {
      messages.replace(history);
      history.forEach((message) => composer.sawOwn(message.key));
    },
    onMessage: take,
    onState: (state) => {
      byId('bar').dataset.state = state;
      byId('status').dataset.state = state;
      byId('status').textContent = statusTexts[state];
    },
    onLoadError: (text) => messages.say(`The messages cannot be loaded: ${text} Trying again…`),
  }).start();
}

const room = roomOf(window.location);
const user = (new URLSearchParams(window.location.search).get('user') ?? '').trim();

// In a title nothing isolates a direction that a name sets.
document.title = `${room.replace(/[\u202A-\u202E\u2066-\u2069]/g, '')} · GRIP chat`;
if (problemOf(room) || problemOf(user)) {
  showJoin(room, user);
} else if (window.location.pathname.endsWith('/')) {
  window.location.replace(`${DEFAULT_ROOM}?user=${encodeURIComponent(user)}`);
} else {
  showChat(room, user);
}
