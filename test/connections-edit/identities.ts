/** Keys of age for tests: of nobody. */
export const ANNA = {
  identity: 'AGE-SECRET-KEY-1G39F8JU3M656GJYMJEYU2VLZESC2NFJ6XVTC7ASYY9GQUPQVFYSSCKMGN5',
  recipient: 'age1ehkd3kaygjq8ezuvjpthhysvx4f0wljee6kallu36gqlttwrz90scjqnha',
};
export const BORIS = {
  identity: 'AGE-SECRET-KEY-1K6RLEQKYN5JZ63L8K2WJZ4XKCFWW5UTMHPNZPR69ZKJVQRWT72HSJDPQ2H',
  recipient: 'age1yqr7mu5da9gszlh3c3jq2glnp6as9ehqzls6ul5thle3qp9x6cvq3vnsgy',
};
