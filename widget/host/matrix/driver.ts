// What the widget may ask of the client. Someone who uses the demo trusts its widget: everything is granted without a question.
import { OpenIDRequestState, WidgetDriver, type Capability, type IOpenIDUpdate, type SimpleObservable } from 'matrix-widget-api';
import type { Account } from './account';

export class DemoDriver extends WidgetDriver {
  constructor(private readonly account: Account) {
    super();
  }

  override validateCapabilities(requested: Set<Capability>): Promise<Set<Capability>> {
    return Promise.resolve(requested);
  }

  override askOpenID(observer: SimpleObservable<IOpenIDUpdate>): void {
    this.account.openIdToken().then(
      (token) => observer.update({ state: OpenIDRequestState.Allowed, token }),
      (error: unknown) => {
        console.error('The homeserver gave no OpenID token:', error);
        // 'Blocked' would mean that the person refused; this is answered as an error, which the widget may try again.
        observer.update({ state: OpenIDRequestState.Allowed });
      },
    );
  }
}
