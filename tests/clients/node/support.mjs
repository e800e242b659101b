// What is running (see tests/tools/stack.py), clients as applications make them, and questions to the servers behind.

import assert from 'node:assert/strict';
import { openSync, closeSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import OpenAI from 'openai';

if (!process.env.WELLHEAD_STACK) {
  throw new Error('run this through tests/tools/stack.py, which starts the servers');
}
export const stack = JSON.parse(readFileSync(process.env.WELLHEAD_STACK, 'utf8'));

export const MODEL = 'practice';
export const QUESTION = [{ role: 'user', content: 'What is a wellhead, in two sentences?' }];

// How long a fact may take to show up in another process's log or metrics.
const SEEN_MS_MAX = 5000;
const POLL_MS = 20;

/** A client; retries are off unless a test is about them. */
export function connect(app = 'suite', options = {}) {
  return new OpenAI({
    baseURL: `${stack.gateway_url}/v1`,
    apiKey: stack.apps[app],
    maxRetries: 0,
    timeout: 30_000,
    ...options,
  });
}

/** A test of a promise of Wellhead itself: left out when there is no gateway in this run. */
export function gatewayTest(name, run) {
  test(name, { skip: stack.mode === 'direct' ? 'no gateway in this run' : false }, run);
}

/** Asks the simulator to misbehave for this one request. */
export function fault(text) {
  return { headers: { 'x-sim-fault': text } };
}

/** A model that no other test uses: `fault-N`, `down-N`, `slow-N` or `rescue-N`. */
export function spare(kind) {
  for (let number = 0; number < stack.spares; number += 1) {
    try {
      closeSync(openSync(path.join(stack.claims, String(number)), 'wx'));
      return `${kind}-${number}`;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
  }
  throw new Error('no spare models are left: raise SPARES in tests/tools/test_config.py');
}

/** Asks until the answer is truthy; gives that answer. */
export async function eventually(question, what) {
  const deadline = Date.now() + SEEN_MS_MAX;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    assert.ok(Date.now() < deadline, `not seen within ${SEEN_MS_MAX} ms: ${what}`);
    await pause(POLL_MS);
  }
}

/** The one request that a simulator saw with `marker` in its body. */
export async function upstreamRequest(marker, sim = 'steady') {
  const { requests } = await (await fetch(`${stack.sims[sim]}/_sim/requests`)).json();
  const seen = requests.filter((entry) => entry.body.includes(marker));
  assert.equal(seen.length, 1, `${seen.length} requests with ${marker}`);
  return seen[0];
}

/** Makes the provider of a spare model misbehave, with a fault that a header cannot say. */
export async function inject(model, what, times) {
  const number = model.split('-').at(-1);
  const rule = { match: { key: `sk-fault-${number}` }, fault: what, times };
  const answer = await fetch(`${stack.sims.faulty}/_sim/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
  assert.ok(answer.ok, `the simulator took the rule: ${answer.status}`);
}

/** How many requests the gateway has counted for a route. */
export async function gatewayRequests(route) {
  const metrics = await (await fetch(`${stack.admin_url}/metrics`)).text();
  return [...metrics.matchAll(/^wellhead_requests_total\{(.*)\} (\d+)/gm)]
    .filter(([, labels]) => labels.includes(`route="${route}"`))
    .reduce((total, [, , count]) => total + Number(count), 0);
}

/** The error that a promise is rejected with; it must be of the given class. */
export async function failure(expected, promise) {
  let caught;
  try {
    await promise;
  } catch (error) {
    caught = error;
  }
  assert.ok(caught, 'the request succeeded');
  assert.ok(caught instanceof expected, `${caught.constructor.name}: ${caught.message}`);
  return caught;
}

/** Everything that an async iterable gives. */
export async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** The text of the first choice of a streamed chat completion. */
export function textOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

/** Waits until the simulator has noticed that the reader of a request left. */
export async function waitForDisconnect(marker) {
  const entry = await eventually(async () => {
    const seen = await upstreamRequest(marker);
    return seen.ended && seen;
  }, "the end of the upstream's request");
  assert.equal(entry.ended, 'client_disconnected');
  assert.ok(entry.tokens_sent < 1000);
}
