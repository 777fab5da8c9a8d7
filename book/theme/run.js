// The Run panels: a POST starts the example, its answer is a stream of events, and leaving the page ends both.
'use strict';

(() => {
    // The page carries the token only while a server that may run examples serves it.
    for (const panel of document.querySelectorAll('.run[data-token]')) {
        const part = name => panel.querySelector('.run-' + name);
        const [start, stop] = [part('start'), part('stop')];
        start.hidden = false;
        start.addEventListener('click', () => run(panel, part, start, stop));
    }

    async function run(panel, part, start, stop) {
        const [output, status, timeline] = [part('output'), part('status'), part('timeline')];
        const leaving = new AbortController();
        const stopped = () => leaving.abort();
        output.replaceChildren();
        timeline.replaceChildren();
        output.hidden = timeline.hidden = true;
        stop.hidden = false;
        start.hidden = true;
        stop.addEventListener('click', stopped, { once: true });
        stop.focus({ preventScroll: true });
        const show = {
            status: text => { status.textContent = text; },
            stdout: text => append(output, text, ''),
            stderr: text => append(output, text, 'stderr'),
            timeline: svg => { timeline.innerHTML = svg; timeline.hidden = false; },
        };
        try {
            const answer = await fetch('/run/' + panel.dataset.run, {
                method: 'POST',
                headers: { 'x-handloom-token': panel.dataset.token },
                signal: leaving.signal,
            });
            if (answer.ok) {
                for await (const [name, data] of events(answer.body)) show[name]?.(data);
            } else {
                status.textContent = (await answer.text()).trim();
            }
        } catch (error) {
            status.textContent = leaving.signal.aborted ? 'stopped' : 'the server is gone: ' + error.message;
        }
        stop.removeEventListener('click', stopped);
        start.hidden = false;
        start.textContent = 'Run again';
        if (document.activeElement === stop) start.focus({ preventScroll: true });
        stop.hidden = true;
    }

    function append(output, text, kind) {
        const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 8;
        const piece = document.createElement('span');
        piece.className = kind;
        piece.textContent = text;
        output.append(piece);
        output.hidden = false;
        if (atEnd) output.scrollTop = output.scrollHeight;
    }

    // Server-sent events, read from a POST: each is `event: NAME`, `data: JSON`, and an empty line.
    async function* events(body) {
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        let waiting = '';
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
            const blocks = (waiting + piece.value).split('\n\n');
            waiting = blocks.pop();
            for (const block of blocks) {
                const field = name => block.match(new RegExp('^' + name + ': ?(.*)$', 'm'))?.[1];
                if (field('event') && field('data')) yield [field('event'), JSON.parse(field('data'))];
            }
        }
    }
})();
