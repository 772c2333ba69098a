"""The methods that the server knows, each with the function that carries it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from telethon.tl import functions, types

from tests.telegram_server import differences, joining, reading, sending, signing_in
from tests.telegram_server.asking import Ask
from tests.telegram_server.wire import make

Method = Callable[[Ask, Any], Any]


def get_config(ask: Ask, _request: Any) -> Any:
    """Every data centre is this server, so that no client goes anywhere else."""
    server = ask.server
    now = datetime.fromtimestamp(server.time(), UTC)
    return make(
        types.Config,
        date=now,
        expires=now + timedelta(hours=1),
        this_dc=server.dc,
        dc_options=[types.DcOption(number, server.host, server.port) for number in range(1, 6)],
        message_length_max=4096,
        caption_length_max=1024,
        forwarded_count_max=100,
    )


#: May be called before anybody has signed in; they look themselves.
OPEN: dict[type, Method] = {
    functions.help.GetConfigRequest: get_config,
    functions.auth.SendCodeRequest: signing_in.send_code,
    functions.auth.ResendCodeRequest: signing_in.send_code,
    functions.auth.SignInRequest: signing_in.sign_in,
    functions.auth.CheckPasswordRequest: signing_in.check_password,
    functions.auth.ImportBotAuthorizationRequest: signing_in.import_bot_authorization,
    functions.auth.ExportLoginTokenRequest: signing_in.export_login_token,
    functions.auth.ImportLoginTokenRequest: signing_in.import_login_token,
    functions.account.GetPasswordRequest: signing_in.get_password,
}
#: May be called by who has signed in.
CLOSED: dict[type, Method] = {
    functions.auth.AcceptLoginTokenRequest: signing_in.accept_login_token,
    functions.auth.LogOutRequest: signing_in.log_out,
    functions.users.GetUsersRequest: reading.get_users,
    functions.contacts.ResolveUsernameRequest: reading.resolve_username,
    functions.channels.GetChannelsRequest: reading.get_channels,
    functions.channels.GetMessagesRequest: reading.get_channel_messages,
    functions.channels.JoinChannelRequest: joining.join_channel,
    functions.channels.LeaveChannelRequest: joining.leave_channel,
    functions.messages.CheckChatInviteRequest: joining.check_chat_invite,
    functions.messages.ImportChatInviteRequest: joining.import_chat_invite,
    functions.messages.GetChatsRequest: reading.get_chats,
    functions.messages.GetHistoryRequest: reading.get_history,
    functions.messages.GetPeerDialogsRequest: reading.get_peer_dialogs,
    functions.messages.GetDialogsRequest: reading.get_dialogs,
    functions.messages.GetDialogFiltersRequest: reading.get_dialog_filters,
    functions.messages.GetRichMessageRequest: reading.get_rich_message,
    functions.messages.SendMessageRequest: sending.send_message,
    functions.messages.EditMessageRequest: sending.edit_message,
    functions.messages.ForwardMessagesRequest: sending.forward_messages,
    functions.account.UpdateNotifySettingsRequest: joining.update_notify_settings,
    functions.folders.EditPeerFoldersRequest: joining.edit_peer_folders,
    functions.updates.GetStateRequest: differences.get_state,
    functions.updates.GetDifferenceRequest: differences.get_difference,
    functions.updates.GetChannelDifferenceRequest: differences.get_channel_difference,
}
