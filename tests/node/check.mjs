// Check messages that are given on standard input as JSON, {name: html}, and say what was found as JSON.
import { readFileSync } from 'node:fs';

import { caniemail } from 'caniemail';
import { HtmlValidate } from 'html-validate';

// Of Thunderbird the data know one system's, and it is the same program on all.
const clients = [
  'gmail.*', 'apple-mail.*', 'outlook.windows', 'outlook.outlook-com', 'outlook.ios', 'outlook.android',
  'yahoo.*', 'samsung-email.*', 'thunderbird.macos',
];

// What is right on the web and wrong in a message: styles stand where they apply, Outlook reads its comments,
// and mail programs know the older word of two for a role, and drop elements that are newer than HTML 4.
const validator = new HtmlValidate({
  extends: ['html-validate:recommended', 'html-validate:document'],
  rules: {
    'no-inline-style': 'off',
    'no-conditional-comment': 'off',
    'presentation-role-style': 'off',
    'prefer-native-element': 'off',
  },
});

function unsupported(html) {
  const found = {};
  for (const [client, listed] of caniemail({ clients, html }).issues.errors) {
    for (const { title } of listed) (found[title] ??= new Set()).add(client);
  }
  return Object.fromEntries(Object.entries(found).map(([title, by]) => [title, [...by].sort()]));
}

async function invalid(html) {
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) => messages)
    .filter(({ severity }) => severity === 2)
    .map(({ ruleId, message, line, column }) => ({ rule: ruleId, message, at: `${line}:${column}` }));
}

const said = {};
for (const [name, html] of Object.entries(JSON.parse(readFileSync(0, 'utf-8')))) {
  said[name] = { unsupported: unsupported(html), invalid: await invalid(html) };
}
process.stdout.write(JSON.stringify(said));
