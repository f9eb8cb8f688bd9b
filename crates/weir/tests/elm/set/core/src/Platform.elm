module Platform exposing (Program, worker)

{-| A stub.

@docs Program, worker

-}

import Platform.Cmd exposing (Cmd)
import Platform.Sub exposing (Sub)


{-| -}
type Program flags model msg
    = Program


{-| -}
worker :
    { init : flags -> ( model, Cmd msg )
    , update : msg -> model -> ( model, Cmd msg )
    , subscriptions : model -> Sub msg
    }
    -> Program flags model msg
worker _ =
    Program
