// Runs all again that match: sends the form's batch after batch, until nothing remains. Each carries the end that the count was made with,
// so that what fails again meanwhile is none of this run.
(() => {
  const form = document.getElementById('requeue');
  if (!form)
    return;
  const element = id => document.getElementById(`run-${id}`);
  const number = new Intl.NumberFormat('en');
  let requeued = 0;
  let stopped = false;
  let saidQuarter = 0;

  const show = (remaining, skipped) => {
    const total = requeued + remaining;
    const bar = element('bar');
    bar.setAttribute('aria-valuemax', total);
    bar.setAttribute('aria-valuenow', requeued);
    bar.style.width = `${total ? 100 * requeued / total : 100}%`;
    element('count').textContent = `${number.format(requeued)} of ${number.format(total)} re-run.`;
    const quarter = total ? Math.floor(4 * requeued / total) : 4;
    if (quarter > saidQuarter && remaining > 0)
      element('said').textContent = `${25 * quarter} % done.`;
    saidQuarter = quarter;
    const reasons = Object.entries(skipped);
    element('skipped').hidden = reasons.length === 0;
    element('skipped').tBodies[0].replaceChildren(...reasons.map(([why, count]) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = why;
      const cell = row.appendChild(head) && row.insertCell();
      cell.className = 'ds-number';
      cell.textContent = number.format(count);
      return row;
    }));
  };

  const send = async () => {
    const response = await fetch(form.action, {
      method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { Accept: 'application/json' }, redirect: 'manual',
    });
    if (response.type === 'opaqueredirect')
      throw new Error('Your session is over. Sign in again.');
    const answer = await response.json();
    if (!response.ok)
      throw new Error(answer.detail);
    return answer;
  };

  const end = text => {
    element('said').textContent = text;
    element('count').hidden = true;
    element('stop').hidden = true;
    element('back').hidden = false;
    element('back').focus();
  };

  const run = async () => {
    for (;;) {
      const { requeued: more, skipped, remaining } = await send();
      requeued += more;
      show(remaining, skipped);
      const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
      if (remaining === 0)
        return end(`Done: ${number.format(requeued)} re-run, ${number.format(left)} skipped.`);
      if (stopped || more === 0)
        return end(`Stopped: ${number.format(requeued)} re-run, ${number.format(remaining)} remain.`);
    }
  };

  form.addEventListener('submit', async event => {
    event.preventDefault();
    form.hidden = true;
    document.getElementById('plan').hidden = true;
    document.getElementById('run').hidden = false;
    element('said').textContent = 'Started.';
    show(Number(form.dataset.total), {});
    element('stop').focus();
    try {
      await run();
    } catch (error) {
      // What was done stands, and the next run counts anew.
      end(`Ended after ${number.format(requeued)}: ${error.message}`);
    }
  });
  element('stop').addEventListener('click', () => {
    stopped = true;
    element('stop').disabled = true;
  });
})();
