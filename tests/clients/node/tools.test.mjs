// Tool calls and JSON schemas: plain, streamed, in parallel, and with the SDK's own helpers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { MODEL, QUESTION, collect, connect } from './support.mjs';

const client = connect();
const ASK_ONE = [{ role: 'user', content: 'Use the tool get_weather for Oslo.' }];
const ASK_TWO = [{ role: 'user', content: 'Use the tools get_weather and get_time for Oslo.' }];

function tool(name) {
  const parameters = {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  };
  return { type: 'function', function: { name, description: `${name} of a city`, parameters } };
}
const WEATHER = tool('get_weather');
const CLOCK = tool('get_time');

const Plan = z.object({
  name: z.string(),
  mood: z.enum(['calm', 'tense']),
  steps: z.array(z.object({ title: z.string(), minutes: z.number().int() })),
  done: z.boolean(),
});

test('one call', async () => {
  const answer = await client.chat.completions.create({ model: MODEL, messages: ASK_ONE, tools: [WEATHER] });
  const [call] = answer.choices[0].message.tool_calls;

  assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  assert.equal(call.function.name, 'get_weather');
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
});

test('streamed parallel calls equal the unstreamed ones', async () => {
  const request = { model: MODEL, messages: ASK_TWO, tools: [WEATHER, CLOCK], temperature: 0 };
  const whole = await client.chat.completions.create(request);
  const stream = client.chat.completions.stream(request);
  const message = (await stream.finalChatCompletion()).choices[0].message;

  const plain = (calls) => calls.map((call) => [call.function.name, call.function.arguments]);
  assert.deepEqual(plain(message.tool_calls), plain(whole.choices[0].message.tool_calls));
  assert.deepEqual(message.tool_calls.map((call) => call.function.name), ['get_weather', 'get_time']);
});

test('arguments come in fragments', async () => {
  const stream = await client.chat.completions.create({
    model: MODEL,
    messages: ASK_ONE,
    tools: [WEATHER],
    stream: true,
  });
  const parts = (await collect(stream)).flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);

  assert.ok(parts.length > 1);
  assert.ok(JSON.parse(parts.map((part) => part.function?.arguments ?? '').join('')).city);
});

test('the helper runs the tools and brings the results back', async () => {
  const asked = [];
  const weather = {
    type: 'function',
    function: {
      ...WEATHER.function,
      parse: JSON.parse,
      function: ({ city }) => {
        asked.push(city);
        return '7 degrees';
      },
    },
  };
  const runner = client.chat.completions.runTools({ model: MODEL, messages: ASK_ONE, tools: [weather] });

  assert.ok(await runner.finalContent());
  assert.equal(asked.length, 1);
});

test('an answer is parsed by its schema', async () => {
  const answer = await client.chat.completions.parse({
    model: MODEL,
    messages: QUESTION,
    response_format: zodResponseFormat(Plan, 'plan'),
  });

  assert.deepEqual(Plan.parse(answer.choices[0].message.parsed), answer.choices[0].message.parsed);
});

test('a streamed answer is parsed by its schema', async () => {
  const stream = client.chat.completions.stream({
    model: MODEL,
    messages: QUESTION,
    response_format: zodResponseFormat(Plan, 'plan'),
  });
  const { parsed } = (await stream.finalChatCompletion()).choices[0].message;

  assert.deepEqual(Plan.parse(parsed), parsed);
});

test('a response is parsed by its schema', async () => {
  const answer = await client.responses.parse({
    model: MODEL,
    input: 'A plan, please.',
    text: { format: zodTextFormat(Plan, 'plan') },
  });

  assert.deepEqual(Plan.parse(answer.output_parsed), answer.output_parsed);
});
