// Models, base URLs, headers, rescue, and an application that stops listening.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import OpenAI from 'openai';
import {
  MODEL,
  QUESTION,
  collect,
  connect,
  failure,
  gatewayTest,
  spare,
  stack,
  textOf,
  waitForDisconnect,
} from './support.mjs';

const client = connect();
const request = { model: MODEL, messages: QUESTION };
// Far more tokens than are read, at a pace that leaves no doubt who ended it.
const ENDLESS = { headers: { 'x-sim-fault': 'slow-tokens:50+tokens:2000' } };

test('models are listed and retrieved', async () => {
  const ids = (await collect(client.models.list())).map((model) => model.id);

  assert.ok(ids.includes(MODEL));
  assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
});

gatewayTest('an app sees only its models', async () => {
  const ids = (await collect(connect('narrow').models.list())).map((model) => model.id);

  assert.deepEqual(ids, [MODEL]);
});

for (const path of ['', '/', '/v1', '/v1/', '//v1', '/v1/v1']) {
  gatewayTest(`base URL ending in ${JSON.stringify(path)}`, async () => {
    const other = connect('suite', { baseURL: stack.gateway_url + path });

    assert.ok((await other.chat.completions.create(request)).choices[0].message.content);
  });
}

gatewayTest('headers tell how the answer came about', async () => {
  const { data, response, request_id: id } = await client.chat.completions.create(request).withResponse();

  assert.ok(data.choices[0].message.content);
  assert.equal(response.headers.get('x-wellhead-survival'), 'direct');
  assert.equal(response.headers.get('x-wellhead-target'), `steady/${MODEL}`);
  assert.equal(response.headers.get('x-wellhead-attempts'), '1');
  assert.equal(response.headers.get('x-request-id'), id);
  assert.equal(data._request_id, id);
});

gatewayTest('the next tier answers', async () => {
  const model = spare('rescue');
  const { data, response } = await client.chat.completions.create({ ...request, model, stream: true }).withResponse();

  assert.ok(textOf(await collect(data)));
  assert.equal(response.headers.get('x-wellhead-survival'), 'failed-over');
  assert.equal(response.headers.get('x-wellhead-target'), `steady/${MODEL}`);
});

test('breaking out of a stream ends it upstream', async () => {
  const user = 'node-broke-out';
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true, user }, ENDLESS)) {
    if (chunk.choices[0].delta.content) break;
  }

  await waitForDisconnect(user);
});

test('an abort signal ends a request upstream', async () => {
  const user = 'node-aborted';
  const control = new AbortController();
  const stream = await client.chat.completions.create(
    { ...request, stream: true, user },
    { ...ENDLESS, signal: control.signal },
  );
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  control.abort();

  await waitForDisconnect(user);
});

test("a client's timeout ends a request upstream", async () => {
  // The SDK tells the gateway how long it waits, so either of them may be the first to give up.
  const user = 'node-ran-out-of-patience';
  const options = { headers: { 'x-sim-fault': 'silence' }, timeout: 500 };
  await failure(OpenAI.APIError, client.chat.completions.create({ ...request, user }, options));

  await waitForDisconnect(user);
});
