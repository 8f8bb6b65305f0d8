import './print.css';

/** Opens the browser's print dialog. The file that it may make is called `name`, as it takes the title of the page for that. */
export function printAs(name: string): void {
  const before = document.title;
  document.title = name;
  // Some browsers go on while their dialog is open. What became the title meanwhile stays.
  addEventListener(
    'afterprint',
    () => {
      if (document.title === name) document.title = before;
    },
    { once: true },
  );
  print();
}
