#!/usr/bin/env python3
"""Random worlds through the executable model of the register merge and through record.h: equal states at the end.

    model_compare.py DRIVER [WORLDS]

DRIVER is the built register_driver. The model is register_merge.py in $HS_SHARED/model (default: model/ in the
folder "shared" beside the repository); where there is none this says so and exits with 77, which ctest counts as
skipped. HS_SEED=N sets the first world; each has a number of its own, which is printed if it fails.
"""
import copy
import os
import pathlib
import random
import subprocess
import sys

SKIPPED = 77
NUMBERS = {'a': 1, 'b': 9, 'c': 1000}


def load_model():
    beside = pathlib.Path(__file__).resolve().parents[2].parent / 'shared'
    folder = pathlib.Path(os.environ.get('HS_SHARED', beside)) / 'model'
    if not (folder / 'register_merge.py').is_file():
        print(f'skipped: no register_merge.py in {folder}; set HS_SHARED')
        sys.exit(SKIPPED)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    import register_merge
    return register_merge


class World:
    """One world, in the model's terms, and the script that does the same in the driver."""

    def __init__(self, model, seed):
        self.model, self.rnd = model, random.Random(seed)
        self.lying = self.rnd.random() < .4
        self.states = [model.empty() for _ in range(self.rnd.randint(2, 6))]
        self.logs = [[] for _ in self.states]
        self.op_count = 0
        self.script = [f'worlds {len(self.states)}']

    def dots_named(self, state, field):
        dots = set(state['fields'][field]['live'])
        if self.rnd.random() < .2:
            dots = {dot for dot in dots if self.rnd.random() < .5}
        if self.lying:
            for _ in range(self.rnd.randint(0, 3)):
                dots.add((self.rnd.randrange(len(self.logs) + 1), self.rnd.randint(1, 40)))
        return sorted(dots)

    def write(self, i):
        log = self.logs[i]
        dot = (i, (log[-1]['dot'][1] if log else 0) + self.rnd.randint(1, 3))
        self.script.append(f'op {dot[0] + 1} {dot[1]}')
        writes = {}
        for field in sorted(self.rnd.sample(list(NUMBERS), self.rnd.randint(1, len(NUMBERS)))):
            value = '-' if self.rnd.random() < .1 else f'v{self.rnd.randint(0, 9)}'
            over = self.dots_named(self.states[i], field)
            writes[field] = (value, over)
            self.script.append(f'field {NUMBERS[field]} {value}')
            self.script.extend(f'over {origin + 1} {n}' for origin, n in over)
        log.append({'dot': dot, 'writes': writes, 'index': self.op_count})
        self.op_count += 1
        self.apply(i, log[-1])

    def apply(self, i, op):
        self.model.apply(self.states[i], op)
        self.script.append(f'apply {i} {op["index"]}')

    def deliver(self, i):
        log = self.rnd.choice(self.logs)
        missing = [op for op in log if not self.model.has(self.states[i], op['dot'])][:self.rnd.randint(1, 3)]
        again = [op for op in log if self.model.has(self.states[i], op['dot'])] if self.rnd.random() < .3 else []
        for op in missing + again:
            self.apply(i, op)

    def join(self, i):
        j = self.rnd.randrange(len(self.states))
        self.states[i] = self.model.join(self.states[i], copy.deepcopy(self.states[j]))
        self.script.append(f'join {i} {j}')

    def run(self):
        """Commands for the driver, and what it must print."""
        for _ in range(self.rnd.randint(5, 60)):
            i, what = self.rnd.randrange(len(self.states)), self.rnd.random()
            if what < .4:
                self.write(i)
            elif what < .85:
                self.deliver(i)
            else:
                self.join(i)
        self.script.extend(f'show {i}' for i in range(len(self.states)))
        return self.script, [shown(state) for state in self.states]


def dot_text(dot):
    return f'{dot[0] + 1}:{dot[1]}'


def shown(state):
    words = ['applied'] + [dot_text(dot) for dot in sorted(state['applied'].items())]
    for name, number in NUMBERS.items():
        field = state['fields'][name]
        if not field['live'] and not field['covered']:
            continue
        words += ['field', str(number), 'live']
        words += [f'{dot_text(dot)}={value}' for dot, value in sorted(field['live'].items())]
        words += ['covered'] + [dot_text(dot) for dot in sorted(field['covered'])]
    return ' '.join(words)


def main():
    driver = sys.argv[1]
    worlds = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    first = int(os.environ.get('HS_SEED', '20261121'))
    model = load_model()
    script, expected = [], []
    for seed in range(first, first + worlds):
        commands, lines = World(model, seed).run()
        script += commands
        expected += [(seed, line) for line in lines]
    done = subprocess.run([driver], input='\n'.join(script) + '\n', capture_output=True, text=True, check=False)
    got = done.stdout.splitlines()
    if done.returncode != 0 or len(got) != len(expected):
        print(f'the driver ended with {done.returncode}, {len(got)} of {len(expected)} states shown: {done.stderr}')
        return 1
    for (seed, line), other in zip(expected, got):
        if line != other:
            print(f'world HS_SEED={seed} differs\n model: {line}\n code:  {other}')
            return 1
    print(f'{worlds} worlds, {len(expected)} states: equal')
    return 0


if __name__ == '__main__':
    sys.exit(main())
