"""The templates of `kubectl -o jsonpath`: as much of them as people use."""
import json
import re

TOKEN = re.compile(r'\{(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|(range)\s+([^}]*)|(end)|([^}]*))\}|([^{]+)')
STEP = re.compile(r'''\.\.?((?:[\w*-]|\\.)+)|\[\*\]|\[(-?\d+)\]|\[['"]([^'"]+)['"]\]|\[\?\(@((?:[^()])*)\)\]|(?<![\w.])((?:[\w-]|\\.)+)''')
TEST = re.compile(r'''((?:\.(?:[\w-]|\\.)+)+)\s*(?:(==|!=)\s*["']?([^"']*)["']?)?$''')


def find(expression, things):
    """Returns what a path leads to, from each of the things."""
    expression = expression.strip().lstrip('$@')
    for step in STEP.finditer(expression):
        name, number, key, test, bare = step.groups()
        name = name or key or bare
        found = []
        for thing in things:
            if test is not None:
                found += [entry for entry in thing or [] if passes(test, entry)]
            elif number is not None:
                found += [thing[int(number)]] if isinstance(thing, list) and len(thing) > int(number) else []
            elif name is None or name == '*':
                found += thing if isinstance(thing, list) else list((thing or {}).values())
            elif isinstance(thing, dict) and name.replace('\\', '') in thing:
                found.append(thing[name.replace('\\', '')])
        things = found
    return things


def passes(test, entry):
    path, operator, value = TEST.match(test.strip()).groups()
    found = find(path, [entry])
    if operator is None:
        return bool(found)
    is_same = bool(found) and text_of(found[0]) == value
    return is_same if operator == '==' else not is_same


def text_of(thing):
    if isinstance(thing, bool):
        return str(thing).lower()
    return thing if isinstance(thing, str) else json.dumps(thing, separators=(',', ':'))


def render(template, thing):
    tokens = TOKEN.findall(template if '{' in template else '{' + template + '}')
    return evaluate(tokens, thing)


def evaluate(tokens, thing):
    text = ''
    at = 0
    while at < len(tokens):
        double, single, is_range, ranged, is_end, path, plain = tokens[at]
        if is_range:
            depth, last = 1, at
            while depth:
                last += 1
                depth += (1 if tokens[last][2] else 0) - (1 if tokens[last][4] else 0)
            for entry in find(ranged, [thing]):
                text += evaluate(tokens[at + 1:last], entry)
            at = last
        elif double or single:
            text += (double or single).encode().decode('unicode_escape')
        elif path:
            text += ' '.join(text_of(found) for found in find(path, [thing]))
        else:
            text += plain
        at += 1
    return text
