// A real model server behind the gateway: greedy answers of llama.cpp are the same with and without it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QUESTION, collect, connect, eventually, stack, textOf } from './support.mjs';

const direct = connect('suite', { baseURL: `${stack.llama_url}/v1` });
const client = stack.mode === 'direct' ? direct : connect();
const GREEDY = { model: 'tiny', messages: QUESTION, temperature: 0 };

async function serverIsBusy() {
  const slots = await (await fetch(`${stack.llama_url}/slots`)).json();
  return slots.some((slot) => slot.is_processing);
}

test('streamed, unstreamed and direct agree', async () => {
  const there = await direct.chat.completions.create({ ...GREEDY, max_tokens: 200 });
  const here = await client.chat.completions.create({ ...GREEDY, max_tokens: 200 });
  const chunks = await collect(await client.chat.completions.create({ ...GREEDY, max_tokens: 200, stream: true }));

  assert.equal(there.choices[0].message.content.length, 200);
  assert.equal(here.choices[0].message.content, there.choices[0].message.content);
  assert.equal(textOf(chunks), there.choices[0].message.content);
});

test('embeddings', async () => {
  const request = { model: 'tiny', input: ['one', 'two'] };
  const [here, there] = [await client.embeddings.create(request), await direct.embeddings.create(request)];

  assert.equal(here.data.length, 2);
  assert.deepEqual(here.data[0].embedding, there.data[0].embedding);
});

test('responses', async () => {
  const request = { model: 'tiny', input: 'hello', temperature: 0, max_output_tokens: 40 };
  const [here, there] = [await client.responses.create(request), await direct.responses.create(request)];

  assert.equal(here.output_text.length, 40);
  assert.equal(here.output_text, there.output_text);
});

test('breaking out of a stream frees the server', async () => {
  const stream = await client.chat.completions.create({ ...GREEDY, max_tokens: 30_000, stream: true });
  let read = 0;
  for await (const _ of stream) {
    read += 1;
    if (read === 3) break;
  }

  assert.ok(await eventually(async () => !(await serverIsBusy()), 'a server without work'));
});
