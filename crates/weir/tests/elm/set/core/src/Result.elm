module Result exposing (Result(..))

{-| A stub.

@docs Result

-}


{-| -}
type Result error value
    = Ok value
    | Err error
