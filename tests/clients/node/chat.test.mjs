// Chat completions, unstreamed and streamed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { APIError } from 'openai';
import { MODEL, QUESTION, collect, connect, failure, fault, gatewayTest, spare, textOf } from './support.mjs';

const client = connect();
const chat = (options, request) =>
  client.chat.completions.create({ model: MODEL, messages: QUESTION, ...options }, request);

test('an answer has text and usage', async () => {
  const answer = await chat();

  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.ok(answer.choices[0].message.content.length > 20);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test('the length limit is obeyed', async () => {
  const answer = await chat({ max_completion_tokens: 3 });

  assert.equal(answer.choices[0].finish_reason, 'length');
});

test('streamed text equals unstreamed', async () => {
  const whole = await chat({ temperature: 0 });
  const chunks = await collect(await chat({ temperature: 0, stream: true }));

  assert.equal(textOf(chunks), whole.choices[0].message.content);
  assert.ok(chunks.length > 3);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('usage comes only when asked', async () => {
  const plain = await collect(await chat({ stream: true }));
  assert.ok(plain.every((chunk) => !chunk.usage && chunk.choices.length > 0));

  const asked = await collect(await chat({ stream: true, stream_options: { include_usage: true } }));
  assert.deepEqual(asked.at(-1).choices, []);
  assert.ok(asked.at(-1).usage.completion_tokens > 0);
});

test('the stream helper collects the answer', async () => {
  let text = '';
  const stream = client.chat.completions.stream({ model: MODEL, messages: QUESTION });
  stream.on('content', (delta) => {
    text += delta;
  });

  assert.equal(await stream.finalContent(), text);
  assert.ok(text.length > 20);
});

test('a picture goes with the question', async () => {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
  ];
  const answer = await chat({ messages: [{ role: 'user', content }] });

  assert.ok(answer.choices[0].message.content);
});

test('legacy completions', async () => {
  const answer = await client.completions.create({ model: MODEL, prompt: 'Once upon a time', max_tokens: 8 });

  assert.ok(answer.choices[0].text);
});

gatewayTest('an interrupted stream raises', async () => {
  const received = [];
  const error = await failure(
    APIError,
    (async () => {
      const stream = await chat({ model: spare('fault'), stream: true }, fault('reset-after:5'));
      for await (const chunk of stream) received.push(chunk);
    })(),
  );

  assert.ok(textOf(received));
  assert.equal(error.code, 'upstream_stream_interrupted');
});

for (const how of ['cut-after:5', 'missing-terminator']) {
  gatewayTest(`a stream without its end raises: ${how}`, async () => {
    const stream = await chat({ model: spare('fault'), stream: true }, fault(how));
    const error = await failure(APIError, collect(stream));

    assert.equal(error.code, 'upstream_stream_interrupted');
  });
}
