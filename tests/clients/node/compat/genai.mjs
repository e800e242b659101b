// Google's Node SDK.

import { ApiError, GoogleGenAI } from '@google/genai';

export const UNSAYABLE = ['logit_bias', 'parallel'];
const STOPS = { STOP: 'stop', MAX_TOKENS: 'length' };
const BUDGETS = { low: 1024, medium: 2048, high: 3000 };
const KINDS = { image: 'image/png', document: 'application/pdf' };
const RENAMED = {
  max_tokens: 'maxOutputTokens', stop: 'stopSequences', temperature: 'temperature', top_p: 'topP', top_k: 'topK',
  seed: 'seed', n: 'candidateCount', presence_penalty: 'presencePenalty', frequency_penalty: 'frequencyPenalty',
};
const clients = new Map();

export function connect(url, key) {
  if (!clients.has(key)) {
    const httpOptions = { baseUrl: url, timeout: 30_000, retryOptions: { attempts: 1 } };
    clients.set(key, new GoogleGenAI({ apiKey: key, vertexai: false, httpOptions }));
  }
  return clients.get(key);
}

export function failure(error) {
  // What breaks within a stream is a plain error with the body in its message.
  if (error instanceof TypeError || error instanceof ReferenceError) return null;
  const status = error instanceof ApiError ? error.status : null;
  return { class: error.constructor.name, status, message: error.message, param: null };
}

function contents(question) {
  return question.turns.map((turn) => {
    if (turn.native) return turn.native;
    if (turn.role === 'results') {
      const parts = turn.results.map(({ id, name, text }) => (
        { functionResponse: { id, name, response: { output: text } } }));
      return { role: 'user', parts };
    }
    const media = Object.entries(KINDS).filter(([name]) => turn[name]).map(([name, mimeType]) => (
      { inlineData: { mimeType, data: turn[name] } }));
    return { role: turn.role === 'assistant' ? 'model' : 'user', parts: [...media, { text: turn.text }] };
  });
}

function functionCalling(choice) {
  if (choice.name) return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  return { mode: { required: 'ANY', none: 'NONE' }[choice] };
}

function parameters(question) {
  const config = {};
  if (question.system) config.systemInstruction = question.system;
  if (question.tools) {
    const functionDeclarations = question.tools.map(({ name, description, schema }) => (
      { name, description, parametersJsonSchema: schema }));
    config.tools = [{ functionDeclarations }];
  }
  if (question.choice) config.toolConfig = { functionCallingConfig: functionCalling(question.choice) };
  if (question.schema) {
    Object.assign(config, { responseMimeType: 'application/json', responseJsonSchema: question.schema });
  }
  if (question.effort) {
    config.thinkingConfig = { includeThoughts: true, thinkingBudget: BUDGETS[question.effort] };
  }
  for (const [name, own] of Object.entries(RENAMED)) if (name in question) config[own] = question[name];
  return { model: question.model, contents: contents(question), config };
}

export async function whole(client, question) {
  return answer([await client.models.generateContent(parameters(question))], 0);
}

export async function stream(client, question) {
  const asked = parameters(question);
  const leave = new AbortController();
  asked.config.abortSignal = leave.signal;
  const chunks = [];
  let pieces = 0;
  for await (const chunk of await client.models.generateContentStream(asked)) {
    chunks.push(chunk);
    if (partsOf(chunk).some((part) => part.text && !part.thought)) pieces += 1;
    if (chunks.length === question.leave_after) {
      leave.abort();
      return { left: true };
    }
  }
  return answer(chunks, pieces);
}

const partsOf = (chunk) => chunk.candidates?.[0]?.content?.parts ?? [];
const textOf = (parts) => parts.filter((part) => !part.thought).map((part) => part.text ?? '').join('');

function answer(chunks, pieces) {
  const parts = chunks.flatMap(partsOf);
  const last = chunks.at(-1);
  const calls = parts.filter((part) => part.functionCall).map(({ functionCall: { id, name, args } }) => (
    { id, name, arguments: args ?? {} }));
  const stop = STOPS[last.candidates?.[0]?.finishReason] ?? null;
  const { usageMetadata: usage } = last;
  const thoughts = usage.thoughtsTokenCount ?? 0;
  return {
    text: textOf(parts),
    texts: last.candidates.map((candidate) => textOf(candidate.content?.parts ?? [])),
    thoughts: parts.filter((part) => part.thought).map((part) => part.text ?? '').join(''),
    calls,
    // The dialect has no word of its own for an answer that ends with calls.
    stop: calls.length && stop === 'stop' ? 'tools' : stop,
    usage: {
      input: usage.promptTokenCount,
      output: (usage.candidatesTokenCount ?? 0) + thoughts,
      total: usage.totalTokenCount,
      thoughts,
    },
    pieces,
    native: { role: 'model', parts },
  };
}
