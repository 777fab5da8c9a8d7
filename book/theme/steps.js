// A recorded trace, one event at a time, forward and back. It reads the text of the trace that stands below it in the page: without
// this script the text is all there is, and it is complete.
'use strict';

(() => {
    // `w0  250.000 ms  wake     #3 by the timers`; the worker stands there only if there were several.
    const EVENT = /^(?:(w\d+|-)\s+)?\s*([\d.]+) ms\s+(\w+)\s*(.*)$/;

    const BOXES = [
        ['running', 'Running'],
        ['ready', 'Ready queue'],
        ['waiting', 'Waiting'],
        ['timers', 'Timers'],
        ['reactor', 'Reactor'],
        ['over', 'Over'],
    ];

    for (const panel of document.querySelectorAll('.steps')) {
        const text = panel.nextElementSibling;
        const lines = text.querySelector('pre').textContent.split('\n').filter(line => EVENT.test(line));
        if (lines.length > 0) {
            show(panel, snapshots(lines));
            panel.hidden = false;
            text.open = false;
        }
    }

    // What is where after each event. A task that nobody spawned before it is named was there from the start.
    function snapshots(lines) {
        const names = new Map();
        const place = new Map([['main', 'ready']]);
        const again = new Set();
        const asleep = new Map();
        const seen = [{ line: 'Before the first event.', at: '0.000', boxes: new Map(BOXES.map(([box]) => [box, []])), changed: '' }];
        seen[0].boxes.set('ready', ['main']);
        for (const line of lines) {
            const [, worker = 'w0', at, verb, rest] = line.match(EVENT);
            const task = rest.match(/^(main|#\d+)/)?.[1];
            const move = to => { place.delete(task); place.set(task, to); };
            let [reactor, timers] = ['', ''];
            switch (verb) {
                case 'spawn':
                    names.set(task, rest.match(/"(.*)"/)?.[1]);
                    move('ready');
                    break;
                case 'poll':
                    again.delete(task);
                    move('running');
                    break;
                case 'pending':
                    move(again.delete(task) ? 'ready' : 'waiting');
                    break;
                case 'done':
                    move('over');
                    break;
                case 'wake':
                    // A task that is woken while it runs goes back to the queue at its end.
                    if (place.get(task) === 'running') again.add(task);
                    else if (place.get(task) !== 'over') move('ready');
                    break;
                case 'steal':
                    move('ready');
                    break;
                case 'park':
                    asleep.set(worker, rest);
                    break;
                case 'unpark':
                    asleep.delete(worker);
                    break;
                case 'ready':
                    reactor = rest;
                    break;
                case 'timer':
                    timers = rest;
                    break;
            }
            const boxes = new Map(BOXES.map(([box]) => [box, []]));
            for (const [task, box] of place) boxes.get(box).push(names.get(task) ? `${task} ${names.get(task)}` : task);
            for (const [worker, until] of asleep) {
                const who = asleep.size > 1 || worker !== 'w0' ? `${worker} sleeps` : 'the worker sleeps';
                boxes.get('reactor').push(`${who} here`);
                if (until.startsWith('until ') && /\d/.test(until)) boxes.get('timers').push(`next: ${until.slice(6)}`);
            }
            if (reactor) boxes.get('reactor').push(reactor);
            if (timers) boxes.get('timers').push(timers);
            const changed = { ready: 'reactor', timer: 'timers', park: 'reactor', unpark: 'reactor' }[verb] ?? place.get(task);
            seen.push({ line: `${worker === 'w0' && !/^w0/.test(line.trim()) ? '' : worker + ': '}${verb} ${rest}`.trim(), at, boxes, changed });
        }
        return seen;
    }

    function show(panel, seen) {
        const make = (parent, kind, properties = {}) => parent.appendChild(Object.assign(document.createElement(kind), properties));
        panel.tabIndex = 0;
        panel.setAttribute('role', 'group');
        panel.setAttribute('aria-label', 'Steps of a trace. Arrow keys go forward and back, Home and End to the ends.');
        const bar = make(panel, 'div', { className: 'steps-bar' });
        const buttons = [['First', 'Home'], ['Back', 'ArrowLeft'], ['Forward', 'ArrowRight'], ['Last', 'End']]
            .map(([name, key]) => [key, make(bar, 'button', { type: 'button', textContent: name })]);
        const slide = make(bar, 'input', { type: 'range', min: 0, max: seen.length - 1, value: 0 });
        slide.setAttribute('aria-label', 'step');
        const line = make(panel, 'p', { className: 'steps-line' });
        line.setAttribute('aria-live', 'polite');
        const grid = make(panel, 'div', { className: 'steps-boxes' });
        const lists = new Map(BOXES.map(([box, title]) => {
            const part = make(grid, 'div', { className: `steps-box steps-${box}` });
            make(part, 'div', { className: 'caption', textContent: title });
            return [box, make(part, 'ul')];
        }));
        let now = 0;
        const go = step => {
            now = Math.max(0, Math.min(seen.length - 1, step));
            const snapshot = seen[now];
            slide.value = now;
            line.textContent = `${now} of ${seen.length - 1} · ${snapshot.at} ms · ${snapshot.line}`;
            for (const [box, list] of lists) {
                list.replaceChildren();
                for (const item of snapshot.boxes.get(box)) make(list, 'li', { textContent: item });
                list.parentElement.classList.toggle('changed', box === snapshot.changed);
            }
            // A button that has come to its end keeps the keyboard's place: it is marked, not disabled.
            for (const [key, button] of buttons) {
                const atEnd = ['Home', 'ArrowLeft'].includes(key) ? now === 0 : now === seen.length - 1;
                button.setAttribute('aria-disabled', atEnd);
            }
        };
        const keys = { Home: () => 0, ArrowLeft: () => now - 1, ArrowRight: () => now + 1, End: () => seen.length - 1 };
        for (const [key, button] of buttons) button.addEventListener('click', () => go(keys[key]()));
        slide.addEventListener('input', () => go(Number(slide.value)));
        panel.addEventListener('keydown', event => {
            // The slider has these keys of its own; and mdBook turns the page at an arrow that it sees.
            if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !keys[event.key]) return;
            event.stopPropagation();
            if (event.target === slide) return;
            event.preventDefault();
            go(keys[event.key]());
        });
        go(0);
    }
})();
