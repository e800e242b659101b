// OpenAI's Node SDK, chat completions.

import OpenAI from 'openai';

export const UNSAYABLE = ['top_k'];
const STOPS = { stop: 'stop', length: 'length', tool_calls: 'tools' };
const RENAMED = { max_tokens: 'max_completion_tokens', effort: 'reasoning_effort', parallel: 'parallel_tool_calls' };
const PLAIN = ['max_tokens', 'stop', 'effort', 'temperature', 'top_p', 'seed', 'n', 'presence_penalty',
  'frequency_penalty', 'logit_bias', 'parallel'];
const clients = new Map();

export function connect(url, key) {
  if (!clients.has(key)) {
    clients.set(key, new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 }));
  }
  return clients.get(key);
}

export function failure(error) {
  if (!(error instanceof OpenAI.OpenAIError)) return null;
  const { status = null, param = null } = error;
  return { class: error.constructor.name, status, message: error.message, param };
}

function media(turn) {
  const parts = [];
  if (turn.image) parts.push({ type: 'image_url', image_url: { url: `data:image/png;base64,${turn.image}` } });
  if (turn.document) {
    const file = { filename: 'paper.pdf', file_data: `data:application/pdf;base64,${turn.document}` };
    parts.push({ type: 'file', file });
  }
  return parts;
}

function messages(question) {
  const out = question.system ? [{ role: 'system', content: question.system }] : [];
  for (const turn of question.turns) {
    if (turn.native) out.push(turn.native);
    else if (turn.role === 'results') {
      out.push(...turn.results.map(({ id, text }) => ({ role: 'tool', tool_call_id: id, content: text })));
    } else {
      const parts = media(turn);
      const content = parts.length ? [{ type: 'text', text: turn.text }, ...parts] : turn.text;
      out.push({ role: turn.role, content });
    }
  }
  return out;
}

function parameters(question) {
  const out = { model: question.model, messages: messages(question) };
  if (question.tools) {
    out.tools = question.tools.map(({ name, description, schema }) => (
      { type: 'function', function: { name, description, parameters: schema } }));
  }
  const { choice } = question;
  if (choice) out.tool_choice = typeof choice === 'string' ? choice : { type: 'function', function: choice };
  if (question.schema) {
    const form = { name: 'answer', schema: question.schema, strict: true };
    out.response_format = { type: 'json_schema', json_schema: form };
  }
  for (const name of PLAIN) if (name in question) out[RENAMED[name] ?? name] = question[name];
  return out;
}

export async function whole(client, question) {
  return answer(await client.chat.completions.create(parameters(question)), 0);
}

export async function stream(client, question) {
  const events = client.chat.completions.stream({
    ...parameters(question),
    stream_options: { include_usage: true },
  });
  let [pieces, got, thoughts] = [0, 0, ''];
  for await (const chunk of events) {
    const delta = chunk.choices[0]?.delta;
    if (delta?.content) pieces += 1;
    thoughts += delta?.reasoning_content ?? '';
    got += 1;
    if (got === question.leave_after) {
      events.abort();
      return { left: true };
    }
  }
  return { ...answer(await events.finalChatCompletion(), pieces), thoughts };
}

function answer(completion, pieces) {
  const [{ message, finish_reason: reason }] = completion.choices;
  const { usage } = completion;
  return {
    text: message.content ?? '',
    texts: completion.choices.map((choice) => choice.message.content),
    thoughts: message.reasoning_content ?? '',
    calls: (message.tool_calls ?? []).map((call) => (
      { id: call.id, name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
    stop: STOPS[reason] ?? null,
    usage: {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      total: usage.total_tokens,
      thoughts: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    },
    pieces,
    native: message,
  };
}
