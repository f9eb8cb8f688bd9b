module Platform.Cmd exposing (Cmd, none)

{-| A stub.

@docs Cmd, none

-}


{-| -}
type Cmd msg
    = Cmd


{-| -}
none : Cmd msg
none =
    Cmd
