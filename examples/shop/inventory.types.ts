// Written by `exequatur inventory types`; run it again when the inventory changes.

/** Every target with its operations. */
export interface Inventory {
  readonly targets: {
    readonly 'shop-payments': {
      readonly environment: 'production' | 'staging';
      readonly owner: 'team-payments';
      readonly labels: {
        readonly data: 'customer';
      };
      readonly operations: {
        readonly 'list-refunds': {
          readonly kind: 'data.read';
          readonly class: 'unconditioned';
          readonly args: {
            readonly charge: string;
          };
          readonly measures: never;
        };
        readonly refund: {
          readonly kind: 'money.transfer';
          readonly class: 'read-then-act';
          readonly args: {
            readonly charge: string;
            readonly amount: string;
            readonly note?: string;
          };
          readonly measures: 'amount' | 'currency' | 'payee';
        };
      };
    };
    readonly 'shop-web': {
      readonly environment: 'production' | 'staging';
      readonly owner: 'team-web';
      readonly labels: Readonly<Record<string, never>>;
      readonly operations: {
        readonly deploy: {
          readonly kind: 'code.execute';
          readonly class: 'read-then-act';
          readonly args: {
            readonly artifact: string;
            readonly level?: 'patch' | 'minor' | 'major';
          };
          readonly measures: 'artifact';
        };
        readonly 'take-offline': {
          readonly kind: 'code.execute';
          readonly class: 'read-then-act';
          readonly args: Readonly<Record<string, never>>;
          readonly measures: never;
        };
      };
    };
  };
}
